// @vitest-environment jsdom
import { expect, it } from 'vitest';

import { clean, pictureOf, wrapped } from '../../src/draw/picture';
import type { PictureParts } from '../../src/draw/picture';

const measure = (text: string) => 6 * text.length;

function parts(more: Partial<PictureParts> = {}): PictureParts {
  const map = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  map.append(document.createElementNS('http://www.w3.org/2000/svg', 'path'));
  return {
    map,
    width: 300,
    height: 200,
    points: { image: 'data:image/png;base64,AA==', left: 10, top: 5, width: 280, height: 180 },
    title: 'A <b> & "table"\u0001',
    legend: {
      label: 'Colour: 1 < 2',
      bar: { stops: ['#000', '#fff'], low: '≤ 1', high: '2' },
      steps: [],
    },
    caption: [
      'mine, predicted; 3 of 5 cells: depth at least 2 & edges at most 4.',
      'Made by nb101.',
    ],
    colours: { page: '#fff', ink: '#000', soft: '#555' },
    measure,
    ...more,
  };
}

it('is valid XML that asks for nothing else', () => {
  const { svg, width, height } = pictureOf(parts());
  const read = new DOMParser().parseFromString(svg, 'image/svg+xml');
  expect(read.querySelector('parsererror')).toBeNull();
  const root = read.documentElement;
  expect(root.getAttribute('viewBox')).toBe(`0 0 ${width} ${height}`);
  expect(root.querySelector('title')!.textContent).toBe('A <b> & "table"');
  expect(root.querySelector('b')).toBeNull();
  expect(root.textContent).toContain('predicted');
  for (const element of root.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      if (/href$/.test(name)) expect(value).toMatch(/^data:image\/png;base64,/);
      else if (value.includes('url(')) expect(value).toBe('url(#colours)');
    }
  }
});

it('says each number of a legend of few', () => {
  const steps = [1, 2, 3].map((value) => ({ colour: '#123456', text: String(value) }));
  const { svg } = pictureOf(parts({ legend: { label: 'depth', bar: null, steps } }));
  const read = new DOMParser().parseFromString(svg, 'image/svg+xml');
  expect(read.querySelectorAll('circle')).toHaveLength(3);
});

it('grows with its caption', () => {
  const short = pictureOf(parts({ caption: ['a'] }));
  const long = pictureOf(parts({ caption: ['a '.repeat(200)] }));
  expect(long.height).toBeGreaterThan(short.height + 50);
});

it('breaks lines where they are full', () => {
  expect(wrapped('one two three', 50, measure)).toEqual(['one two', 'three']);
  expect(wrapped('incomprehensible', 30, measure)).toEqual(['incomprehensible']);
  expect(wrapped('', 30, measure)).toEqual([]);
});

it('leaves out what XML has no place for', () => {
  expect(clean('a\u0000b\ud800c\u{1f600}\n')).toBe('abc\u{1f600}\n');
});
