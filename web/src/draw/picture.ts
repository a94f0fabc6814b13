/** A picture of a map as one SVG: points as an image within, all else as vectors. */
const SVG = 'http://www.w3.org/2000/svg';
const MARGIN = 14;
const LINE = 17;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

/** What the colours of points mean. */
export interface LegendOf {
  readonly label: string;
  /** Colours from left to right, and what stands at their ends; or a colour a number. */
  readonly bar: {
    readonly stops: readonly string[];
    readonly low: string;
    readonly high: string;
  } | null;
  readonly steps: readonly { readonly colour: string; readonly text: string }[];
}

export interface PictureParts {
  /** Axes, front, marks: with all styles inlined. */
  readonly map: SVGElement;
  readonly width: number;
  readonly height: number;
  /** Points, as a data URI, and where they lie on the map. */
  readonly points: {
    readonly image: string;
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  readonly title: string;
  readonly legend: LegendOf | null;
  readonly caption: readonly string[];
  readonly colours: { readonly page: string; readonly ink: string; readonly soft: string };
  /** How wide a text of the caption is. */
  readonly measure: (text: string) => number;
}

export interface Picture {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** Break text into lines that fit. A word that does not fit stands alone. */
export function wrapped(text: string, width: number, measure: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && measure(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Text without what XML has no place for. */
export function clean(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu, '');
}

export function pictureOf(parts: PictureParts): Picture {
  const { map, points, legend, colours, measure } = parts;
  const document = map.ownerDocument;
  const make = (name: string, attributes: Record<string, string | number>, text?: string) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
    if (text !== undefined) node.textContent = clean(text);
    return node;
  };
  const write = (text: string, x: number, y: number, colour: string, more = {}) =>
    make('text', { x, y, fill: colour, 'font-family': FONT, 'font-size': 12, ...more }, text);
  const width = Math.ceil(parts.width);
  const head = MARGIN + 20 + (legend === null ? 0 : 38);
  const lines = parts.caption.flatMap((text) => wrapped(text, width - 2 * MARGIN, measure));
  const height = Math.ceil(head + parts.height + lines.length * LINE + MARGIN);
  const svg = make('svg', {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
  });
  svg.append(make('title', {}, parts.title), make('desc', {}, parts.caption.join(' ')));
  svg.append(make('rect', { width, height, fill: colours.page }));
  svg.append(
    write(parts.title, MARGIN, MARGIN + 10, colours.ink, { 'font-size': 15, 'font-weight': 650 }),
  );
  if (legend !== null) {
    const top = MARGIN + 30;
    svg.append(write(legend.label, MARGIN, top, colours.soft));
    if (legend.bar === null) {
      let x = MARGIN;
      for (const { colour, text } of legend.steps) {
        svg.append(make('circle', { cx: x + 5, cy: top + 13, r: 5, fill: colour }));
        svg.append(write(text, x + 13, top + 17, colours.ink));
        x += 24 + measure(text);
      }
    } else {
      const { low, high, stops } = legend.bar;
      const gradient = make('linearGradient', { id: 'colours' });
      stops.forEach((colour, at) => {
        const offset = (at / (stops.length - 1)).toFixed(4);
        gradient.append(make('stop', { offset, 'stop-color': colour }));
      });
      const begin = MARGIN + measure(low) + 6;
      svg.append(
        gradient,
        write(low, MARGIN, top + 17, colours.ink),
        make('rect', {
          x: begin,
          y: top + 8,
          width: 120,
          height: 10,
          rx: 2,
          fill: 'url(#colours)',
        }),
        write(high, begin + 126, top + 17, colours.ink),
      );
    }
  }
  const body = make('g', { transform: `translate(0 ${head})` });
  body.append(
    make('image', {
      href: points.image,
      x: points.left,
      y: points.top,
      width: points.width,
      height: points.height,
    }),
    map,
  );
  svg.append(body);
  lines.forEach((line, at) => {
    svg.append(write(line, MARGIN, head + parts.height + (at + 1) * LINE - 4, colours.soft));
  });
  return { svg: new XMLSerializer().serializeToString(svg), width, height };
}
