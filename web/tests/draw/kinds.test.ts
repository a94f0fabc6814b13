/** Looks can be seen on light and on dark, and differ without their colours. */
import { describe, expect, it } from 'vitest';
import { duration, unitFor } from '../../src/draw/duration';
import { contrast, lookOf } from '../../src/draw/kinds';

describe('looks', () => {
  it.each([
    [false, '#ffffff'],
    [true, '#1a2028'],
  ])('can be seen, dark %s', (dark, below) => {
    for (let kind = 0; kind < 20; kind++) {
      expect(contrast(lookOf(kind, dark).colour, below)).toBeGreaterThanOrEqual(3);
    }
  });
  it('differ by dash or marker', () => {
    const all = Array.from({ length: 30 }, (_, kind) => {
      const { dash, marker } = lookOf(kind, false);
      return `${dash.join()} ${marker}`;
    });
    expect(new Set(all).size).toBe(30);
  });
  it('measures contrast as WCAG does', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });
});

describe('times', () => {
  it.each([
    [0, '0.00 minutes'],
    [90, '1.50 minutes'],
    [7200, '2.00 hours'],
    [86400, '24.0 hours'],
    [1e6, '11.6 days'],
    [1e7, '116 days'],
    [NaN, '–'],
  ])('%s s are %s', (seconds, text) => expect(duration(seconds)).toBe(text));
  it('stay in a unit that is asked for', () => {
    expect(duration(3600, unitFor(1e6))).toBe('0.04 days');
  });
});
