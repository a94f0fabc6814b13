/** Contrast of the page's colours, after WCAG 2.1: 4.5 for text, 3 for what is drawn. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

import { palette } from '../../src/draw/palette';
import { rgb } from 'd3-color';

const css = readFileSync(resolve(import.meta.dirname, '../../src/style.css'), 'utf8');

function colours(block: RegExp): Map<string, string> {
  const text = block.exec(css)![1];
  return new Map(
    [...text.matchAll(/--nb-([a-z-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
}

const themes = {
  light: colours(/^\.nb101 \{([^}]*)\}/m),
  dark: colours(/^\.nb101\[data-theme='dark'\] \{([^}]*)\}/m),
};

function luminance(colour: string): number {
  const { r, g, b } = rgb(colour);
  const [red, green, blue] = [r, g, b].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ['page', 'card', 'map'];
const TEXT = ['ink', 'soft', 'warm'].flatMap((name) => GROUNDS.map((on) => [name, on]));
TEXT.push(['strong-ink', 'strong']);
const DRAWN = ['strong', 'hold', 'focus', 'edge', 'warm'].flatMap((name) =>
  GROUNDS.map((on) => [name, on]),
);

describe.each(Object.entries(themes))('in %s', (name, of) => {
  it.each(TEXT)('text of %s can be read on %s', (ink, on) => {
    expect(contrast(of.get(ink)!, of.get(on)!)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(DRAWN)('what is drawn in %s is seen on %s', (ink, on) => {
    expect(contrast(of.get(ink)!, of.get(on)!)).toBeGreaterThanOrEqual(3);
  });

  it('both themes have the same names', () => {
    expect([...of.keys()]).toEqual([...themes.light.keys()]);
  });

  it('the palette keeps apart from the map, but for its brightest end', () => {
    const seen = palette('viridis', name === 'dark').map((colour) =>
      contrast(colour, of.get('map')!),
    );
    expect(Math.min(...seen)).toBeGreaterThan(1.3);
    expect(seen.filter((value) => value >= 3).length).toBeGreaterThan(128);
  });
});
