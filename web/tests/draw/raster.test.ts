/** Points written into an image: what is kept between frames changes none of them. */
import { color } from 'd3-color';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { palette } from '../../src/draw/palette';
import { Raster } from '../../src/draw/raster';
import { shuffled } from '../../src/draw/surface';
import type { Look, Scene, View } from '../../src/draw/surface';

const COUNT = 3000;
const [WIDTH, HEIGHT] = [120, 90];

class Picture {
  readonly data: Uint8ClampedArray<ArrayBuffer>;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8ClampedArray(4 * width * height);
  }
}

/** A canvas that keeps what was put on it, without the room about it. */
function board() {
  const shown = { pixels: new Uint32Array(0) };
  const context = {
    putImageData(image: Picture, x: number, y: number) {
      const words = new Uint32Array(image.data.buffer);
      shown.pixels = new Uint32Array(canvas.width * canvas.height);
      for (let row = 0; row < canvas.height; row++) {
        const from = (row - y) * image.width - x;
        shown.pixels.set(words.subarray(from, from + canvas.width), row * canvas.width);
      }
    },
  };
  const canvas = { width: 0, height: 0, getContext: () => context };
  const raster = new Raster(canvas as unknown as HTMLCanvasElement);
  raster.resize(WIDTH, HEIGHT, 1);
  return { raster, shown };
}

const look: Look = {
  palette: palette('viridis', false),
  background: '#ffffff',
  faint: '#c8ccd4',
  diameter: 1,
  opacity: 1,
};
const VIEW: View = { x0: 0.1, x1: 0.9, y0: 0.2, y1: 1 };

function sceneOf(fails: Uint8Array): Scene {
  const u = Float32Array.from({ length: COUNT }, (_, at) => (at * 0.6180339) % 1);
  const v = Float32Array.from({ length: COUNT }, (_, at) =>
    at % 50 === 0 ? NaN : (at * 0.7548776) % 1,
  );
  const colour = Uint8Array.from({ length: COUNT }, (_, at) => (at * 37) % 256);
  return { order: shuffled(COUNT), u, v, colour, size: null, fails, selected: null };
}

/** What opaque points of one pixel look like, point by point. */
function plainly(scene: Scene, view: View): Uint32Array {
  const word = (css: string) => {
    const { r, g, b } = color(css)!.rgb();
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  };
  const pixels = new Uint32Array(WIDTH * HEIGHT).fill(word(look.background));
  for (let at = 0; at < COUNT; at++) {
    const x = Math.floor((scene.u[at] - view.x0) * (WIDTH / (view.x1 - view.x0)));
    const y = Math.floor((view.y1 - scene.v[at]) * (HEIGHT / (view.y1 - view.y0)));
    if (!(x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT)) continue;
    pixels[y * WIDTH + x] = word(look.palette[scene.colour[at]]);
  }
  return pixels;
}

describe('the raster', () => {
  beforeEach(() => {
    vi.stubGlobal('ImageData', Picture);
  });

  it('draws each point where it is', () => {
    const scene = sceneOf(new Uint8Array(COUNT));
    const { raster, shown } = board();
    raster.draw(scene, VIEW, look);
    expect(shown.pixels).toEqual(plainly(scene, VIEW));
  });

  it('draws the same whatever it drew before', () => {
    const fails = new Uint8Array(COUNT);
    const scene = sceneOf(fails);
    const kept = board();
    const fading: Look = { ...look, diameter: 4, opacity: 0.65 };
    const compare = (now: Scene, view: View) => {
      kept.raster.draw(now, view, fading);
      const fresh = board();
      fresh.raster.draw(now, view, fading);
      expect(kept.shown.pixels).toEqual(fresh.shown.pixels);
      return kept.shown.pixels;
    };
    const all = compare(scene, VIEW);
    for (let row = 0; row < COUNT; row += 3) fails[row] = 1;
    expect(compare(scene, VIEW)).not.toEqual(all);
    compare(scene, { ...VIEW, x1: 0.5 });
    compare({ ...scene, v: scene.u }, { ...VIEW, x1: 0.5 });
    compare({ ...scene, selected: Uint8Array.from(fails, (_, row) => row % 2) }, VIEW);
    compare({ ...scene, size: scene.colour }, VIEW);
    kept.raster.resize(WIDTH, HEIGHT, 2);
    kept.raster.resize(WIDTH, HEIGHT, 1);
    compare(scene, VIEW);
  });
});
