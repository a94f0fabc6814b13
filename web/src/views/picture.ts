/** The picture of the map as it is seen, for papers and slides. */
import { pictureOf, clean } from '../draw/picture';
import type { Picture } from '../draw/picture';
import { Raster } from '../draw/raster';
import { cells, filtersInWords } from '../state/words';
import type { Shared } from './context';
import { legendOf } from './legendOf';
import { lookOf } from './look';

/** Pixels of the picture a pixel of the page. */
const RATIO = 2;

/** What is inlined of each element's style. */
const STYLES = [
  ...['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray'],
  ...['stroke-linecap', 'stroke-linejoin', 'opacity', 'paint-order', 'text-anchor'],
  ...['font-family', 'font-size', 'font-weight', 'font-variant-numeric'],
];
const TEXT = /^(text-anchor|paint-order|font-)/;

/** The picture of a map: `frame` is its element. */
export function mapPicture(shared: Shared, frame: HTMLElement, dark: boolean): Picture {
  const { explorer, scene } = shared;
  const now = scene.scene.peek();
  const canvas = frame.querySelector('canvas');
  const overlay = frame.querySelector<SVGSVGElement>('svg');
  if (now === null || canvas === null || overlay === null)
    throw new Error('The map is not drawn yet.');
  const box = frame.getBoundingClientRect();
  const [left, top, width, height] = ['left', 'top', 'width', 'height'].map((side) =>
    parseFloat(canvas.style.getPropertyValue(side)),
  );
  const sheet = document.createElement('canvas');
  const raster = new Raster(sheet);
  raster.resize(width, height, RATIO);
  const look = lookOf(explorer, frame, dark);
  const density = explorer.mode.peek() === 'density';
  const most = density ? raster.density(now, explorer.seen.peek(), look) : 0;
  if (!density) raster.draw(now, explorer.seen.peek(), look);
  // What is drawn over the points on canvases of its own (searches) after those two of the points.
  for (const over of [...frame.querySelectorAll('canvas')].slice(2)) {
    if (over.width > 0 && over.getClientRects().length > 0) {
      sheet.getContext('2d')!.drawImage(over, 0, 0, sheet.width, sheet.height);
    }
  }
  const image = sheet.toDataURL('image/png');
  raster.destroy();
  const style = getComputedStyle(frame);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const context = sheet.getContext('2d')!;
  context.font = `12px ${style.fontFamily}`;
  return pictureOf({
    map: copied(overlay, box.width, box.height),
    width: box.width,
    height: box.height,
    points: { image, left, top, width, height },
    title: explorer.manifest.title,
    legend: legendOf(shared, dark, most),
    caption: captionOf(shared),
    colours: { page: colour('--nb-page'), ink: colour('--nb-ink'), soft: colour('--nb-soft') },
    // Fonts differ from machine to machine: a little room.
    measure: (text) => context.measureText(text).width * 1.04,
  });
}

function captionOf({ explorer }: Shared): string[] {
  const { manifest } = explorer;
  const { name, kind } = manifest.table;
  const left = explorer.rowsLeft.peek().length;
  const count =
    left === explorer.count
      ? `all ${cells(left)}`
      : `${left.toLocaleString('en')} of ${cells(explorer.count)}`;
  const what = kind === 'unknown' ? 'not said whether measured' : kind;
  const words = filtersInWords(explorer);
  const marked: string[] = [];
  const inHand = explorer.inHand.peek();
  if (inHand !== null && inHand.row >= 0) marked.push(`ring: cell ${explorer.id(inHand.row)}`);
  explorer.pins.peek().forEach((row, at) => {
    marked.push(`${'ABCD'[at]}: cell ${explorer.id(row)}`);
  });
  return [
    `${name}, ${what}; ${count}${words.length > 0 ? `: ${words.join('; ')}` : ''}.`,
    ...(marked.length > 0 ? [`${marked.join(', ')}.`] : []),
    `Made by nb101 ${manifest.made}.`,
  ];
}

/** A copy of the overlay that needs no style sheet. */
function copied(overlay: SVGSVGElement, width: number, height: number): SVGElement {
  const copy = overlay.cloneNode(true) as SVGSVGElement;
  const from = [overlay, ...overlay.querySelectorAll('*')];
  const to = [copy, ...copy.querySelectorAll('*')];
  const gone: Element[] = [];
  from.forEach((element, at) => {
    const own = to[at];
    if (element.matches('.nb-hovered')) gone.push(own);
    const style = getComputedStyle(element);
    if (element !== overlay && style.display === 'none' && element.tagName !== 'title')
      gone.push(own);
    for (const name of own.getAttributeNames()) {
      if (/^(class|style|role|tabindex|aria-|data-)/i.test(name)) own.removeAttribute(name);
    }
    if (element.childElementCount === 0 || element.tagName === 'text') {
      if (element.tagName === 'title') own.textContent = clean(element.textContent);
      else inline(own, style, element.tagName === 'text');
    }
  });
  for (const element of gone) element.remove();
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  return copy;
}

function inline(element: Element, style: CSSStyleDeclaration, isText: boolean): void {
  for (const name of STYLES) {
    if (TEXT.test(name) && !isText) continue;
    const value = style.getPropertyValue(name);
    if (value !== '' && value !== 'normal') element.setAttribute(name, value);
  }
}

export function svgBlob({ svg }: Picture): Blob {
  return new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n`], { type: 'image/svg+xml' });
}

/** The picture as a PNG, two pixels for one. */
export async function pngBlob(picture: Picture): Promise<Blob> {
  const address = URL.createObjectURL(svgBlob(picture));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = picture.width * RATIO;
    canvas.height = picture.height * RATIO;
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('This browser draws on no canvas');
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise<Blob>((resolve, reject) =>
      canvas.toBlob((blob) => {
        if (blob === null) reject(new Error('The browser makes no PNG of this picture'));
        else resolve(blob);
      }, 'image/png'),
    );
  } finally {
    URL.revokeObjectURL(address);
  }
}
