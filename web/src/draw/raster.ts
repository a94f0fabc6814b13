/**
 * Points and densities written into the bytes of an image.
 *
 * 423,624 points took 17 ms in this way where a WebGL that is software took 160 and more (headless
 * Chromium on two cores), so that this is what draws without a graphics card, and is no makeshift.
 */
import { word } from './palette';
import type { Look, Scene, Surface, View } from './surface';

/** Pixels beyond the picture on each side, so that points near the edge need no clipping. */
const ROOM = 16;
const CLASSES = 6;
/** The pixel of a point that is not in the picture: no centre lies in the room about it. */
const NOWHERE = 0;
const SIDES = ['x0', 'x1', 'y0', 'y1'] as const;

/** What the pixels of points were computed for. */
interface Placed {
  readonly image: ImageData | null;
  readonly u: Float32Array;
  readonly v: Float32Array;
  readonly view: View;
}

export class Raster implements Surface {
  readonly kind = 'canvas';
  private readonly context: CanvasRenderingContext2D;
  private image: ImageData | null = null;
  private pixels = new Uint32Array(0);
  private ratio = 1;
  private placed: Placed | null = null;
  private centres = new Uint32Array(0);
  private listed = new Uint32Array(0);

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('This browser draws on no canvas');
    this.context = context;
  }

  resize(width: number, height: number, ratio: number): void {
    const [wide, high] = [
      Math.max(1, Math.round(width * ratio)),
      Math.max(1, Math.round(height * ratio)),
    ];
    this.ratio = ratio;
    if (this.canvas.width === wide && this.canvas.height === high && this.image !== null) return;
    this.canvas.width = wide;
    this.canvas.height = high;
    this.image = new ImageData(wide + 2 * ROOM, high + 2 * ROOM);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  draw(scene: Scene, view: View, look: Look): void {
    if (this.image === null) return;
    this.pixels.fill(word(look.background));
    const { pixels } = this;
    const { fails, selected, order, colour, size } = scene;
    const centres = this.place(scene, view);
    const discs = this.discs(scene, look);
    // What is left out first, so that it covers nothing; what is left is listed on the way.
    const faint = word(look.faint);
    const faintly = share(0.25);
    const listed = this.listed;
    let count = 0;
    for (let at = 0; at < centres.length; at++) {
      const centre = centres[at];
      if (centre === NOWHERE) continue;
      const row = order[at];
      if (fails[row] === 0 && (selected === null || selected[row] !== 0)) listed[count++] = at;
      else blend(pixels, centre, discs[size === null ? 0 : size[at]], faint, faintly);
    }
    const colours = Uint32Array.from(look.palette, word);
    const alpha = share(look.opacity);
    for (let index = 0; index < count; index++) {
      const at = listed[index];
      const offsets = discs[size === null ? 0 : size[at]];
      blend(pixels, centres[at], offsets, colours[colour[at]], alpha);
    }
    this.show();
  }

  /** Cells in each bin of some pixels, brighter the more there are. */
  density(scene: Scene, view: View, look: Look): number {
    if (this.image === null) return 0;
    const side = Math.max(2, Math.round(3 * this.ratio));
    const [wide, high] = [
      Math.ceil(this.canvas.width / side),
      Math.ceil(this.canvas.height / side),
    ];
    const counts = new Uint32Array(wide * high);
    const { u, v, order, fails, selected } = scene;
    const scaleX = this.canvas.width / (view.x1 - view.x0) / side;
    const scaleY = this.canvas.height / (view.y1 - view.y0) / side;
    for (let at = 0; at < order.length; at++) {
      const row = order[at];
      if (fails[row] !== 0 || (selected !== null && selected[row] === 0)) continue;
      const x = (u[at] - view.x0) * scaleX;
      const y = (view.y1 - v[at]) * scaleY;
      if (x >= 0 && x < wide && y >= 0 && y < high) counts[Math.floor(y) * wide + Math.floor(x)]++;
    }
    let most = 0;
    for (const count of counts) if (count > most) most = count;
    const colours = Uint32Array.from(look.palette, word);
    const factor = most > 1 ? 255 / Math.log(most) : 255;
    this.pixels.fill(word(look.background));
    const stride = this.image.width;
    for (let bin = 0; bin < counts.length; bin++) {
      if (counts[bin] === 0) continue;
      const colour = colours[Math.round(Math.log(counts[bin]) * factor)];
      const left = ROOM + (bin % wide) * side;
      const top = ROOM + Math.floor(bin / wide) * side;
      const [right, bottom] = [
        Math.min(left + side, ROOM + this.canvas.width),
        Math.min(top + side, ROOM + this.canvas.height),
      ];
      for (let y = top; y < bottom; y++) {
        this.pixels.fill(colour, y * stride + left, y * stride + right);
      }
    }
    this.show();
    return most;
  }

  destroy(): void {
    this.image = null;
    this.pixels = new Uint32Array(0);
    this.centres = this.listed = new Uint32Array(0);
    this.placed = null;
  }

  private show(): void {
    if (this.image === null) return;
    const { width, height } = this.canvas;
    this.context.putImageData(this.image, -ROOM, -ROOM, ROOM, ROOM, width, height);
  }

  /**
   * The pixel of each point, kept while neither points nor view move: a brush moves neither. With
   * that, and with what is left listed in the first pass, a frame takes half the time (13 ms of CPU
   * instead of 26).
   */
  private place(scene: Scene, view: View): Uint32Array {
    const { u, v } = scene;
    const { image, placed } = this;
    const kept =
      placed !== null && placed.image === image && placed.u === u && placed.v === v && placed.view;
    if (kept && SIDES.every((side) => kept[side] === view[side])) return this.centres;
    if (this.centres.length !== u.length) {
      this.centres = new Uint32Array(u.length);
      this.listed = new Uint32Array(u.length);
    }
    const { centres } = this;
    const stride = image!.width;
    const [width, height] = [this.canvas.width, this.canvas.height];
    const scaleX = width / (view.x1 - view.x0);
    const scaleY = height / (view.y1 - view.y0);
    const { x0, y1 } = view;
    for (let at = 0; at < u.length; at++) {
      const x = (u[at] - x0) * scaleX;
      const y = (y1 - v[at]) * scaleY;
      // Not so for NaN either.
      const inside = x >= 0 && x < width && y >= 0 && y < height;
      centres[at] = inside ? ((y | 0) + ROOM) * stride + (x | 0) + ROOM : NOWHERE;
    }
    this.placed = { image, u, v, view: { ...view } };
    return centres;
  }

  /** The disc of each size that a point can have. */
  private discs(scene: Scene, look: Look): Int32Array[] {
    const stride = this.image!.width;
    const classes = Array.from({ length: scene.size === null ? 1 : CLASSES }, (_, grade) =>
      disc(
        Math.min(2 * ROOM, Math.max(1, Math.round(look.diameter * this.ratio * (1 + grade * 0.8)))),
        stride,
      ),
    );
    const steps = 256 / CLASSES;
    return scene.size === null
      ? classes
      : Array.from({ length: 256 }, (_, size) => classes[Math.floor(size / steps)]);
  }
}

/** An opacity in parts of 256. */
function share(opacity: number): number {
  return Math.max(1, Math.min(256, Math.round(opacity * 256)));
}

/** Blend a disc about a pixel; `alpha` is in parts of 256. */
function blend(
  pixels: Uint32Array,
  centre: number,
  offsets: Int32Array,
  colour: number,
  alpha: number,
): void {
  // Red and blue in one product, green in another; what borrows from a neighbour is masked out.
  const redBlue = colour & 0xff00ff;
  const green = colour & 0x00ff00;
  for (let index = 0; index < offsets.length; index++) {
    const pixel = centre + offsets[index];
    const under = pixels[pixel];
    const rb = under & 0xff00ff;
    const g = under & 0x00ff00;
    const newRb = (rb + (Math.imul(redBlue - rb, alpha) >>> 8)) & 0xff00ff;
    const newG = (g + (Math.imul(green - g, alpha) >>> 8)) & 0x00ff00;
    pixels[pixel] = 0xff000000 | newRb | newG;
  }
}

/** Offsets of a disc's pixels from its centre. */
function disc(diameter: number, stride: number): Int32Array {
  const offsets: number[] = [];
  const radius = diameter / 2;
  const start = -Math.floor((diameter - 1) / 2);
  const middle = start + (diameter - 1) / 2;
  for (let y = start; y < start + diameter; y++) {
    for (let x = start; x < start + diameter; x++) {
      const distance = Math.hypot(x - middle, y - middle);
      if (diameter <= 2 || distance <= radius - 0.1) offsets.push(y * stride + x);
    }
  }
  return Int32Array.from(offsets);
}
