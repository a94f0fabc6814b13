/** How things that differ in kind look: a colour, a dash and a marker each, on light and on dark. */
import { color, hsl } from 'd3-color';
import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from 'd3-shape';
import { KINDS } from './palette';

export interface Look {
  readonly colour: string;
  /** Lengths of strokes and gaps; empty for a whole line. */
  readonly dash: readonly number[];
  /** Path of a marker around 0, 0. */
  readonly marker: string;
}

const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3], [14, 4]];
const MARKERS = [
  symbolCircle,
  symbolSquare,
  symbolTriangle,
  symbolDiamond,
  symbolCross,
  symbolStar,
  symbolWye,
].map((type) => symbol(type, 84)()!);

/** Contrast with what lies below: WCAG 1.4.11 asks 3 of graphics; on dark, dull colours look alike. */
const ON_LIGHT = 3;
const ON_DARK = 4.5;
/** The cards that charts lie on. */
const LIGHT = '#ffffff';
const DARK = '#1a2028';

/** Looks are told apart by their marker and dash too: colours alone come again after eight. */
export function lookOf(kind: number, dark: boolean): Look {
  return {
    colour: legible(KINDS[kind % KINDS.length], dark),
    dash: DASHES[kind % DASHES.length],
    marker: MARKERS[kind % MARKERS.length],
  };
}

/** The colour, darker or lighter as far as it must be to be seen. */
export function legible(css: string, dark: boolean): string {
  const [below, enough] = dark ? [DARK, ON_DARK] : [LIGHT, ON_LIGHT];
  const tone = hsl(css);
  while (contrast(tone.formatHex(), below) < enough && tone.l > 0.02 && tone.l < 0.98) {
    tone.l += dark ? 0.01 : -0.01;
  }
  return tone.formatHex();
}

/** The contrast of two colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(css: string): number {
  const rgb = color(css)!.rgb();
  const [r, g, b] = [rgb.r, rgb.g, rgb.b].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
