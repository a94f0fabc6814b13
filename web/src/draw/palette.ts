/** Colours of numbers, on light and on dark, that the colour-blind tell apart. */
import { color } from 'd3-color';
import { interpolateCividis, interpolateViridis } from 'd3-scale-chromatic';

/** Okabe and Ito's colours, for things that differ in kind. */
export const KINDS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#785ef0',
  '#8a6d00',
] as const;

export type PaletteName = 'viridis' | 'cividis';

/** A colour as an ImageData has it in a word: little-endian, red first. */
export function word(css: string): number {
  const rgb = color(css)?.rgb();
  if (rgb === undefined) return 0;
  return ((255 << 24) | (rgb.b << 16) | (rgb.g << 8) | rgb.r) >>> 0;
}

const made = new Map<string, readonly string[]>();

/** 256 colours along a scale. Its bright end would vanish on white, its dark one on black. */
export function palette(name: PaletteName, dark: boolean): readonly string[] {
  const key = `${name} ${dark}`;
  const kept = made.get(key);
  if (kept !== undefined) return kept;
  const interpolate = name === 'viridis' ? interpolateViridis : interpolateCividis;
  const [from, to] = dark ? [0.18, 1] : [0, 0.92];
  const colours = Array.from({ length: 256 }, (_, at) =>
    interpolate(from + ((to - from) * at) / 255),
  );
  made.set(key, colours);
  return colours;
}
