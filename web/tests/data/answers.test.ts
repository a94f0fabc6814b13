import { expect, it } from 'vitest';

import { duration, lastRegret, median, mediansBy, nearlyBest } from '../../src/data/answers';

it('finds the cheapest of those that are nearly the best', () => {
  const accuracy = Float32Array.of(0.9, 0.94, 0.938, NaN, 0.5);
  const cost = Float32Array.of(1, 100, 40, 0, 2);
  expect(nearlyBest(accuracy, cost, 0.005)).toEqual({
    best: Math.fround(0.94),
    bestRow: 1,
    count: 2,
    cheapest: 2,
  });
  expect(nearlyBest(Float32Array.of(NaN), Float32Array.of(1), 0.1)).toBeNull();
});

it('has medians, also by groups', () => {
  expect(median([3, 1, NaN, 2])).toBe(2);
  expect(median([10, 9, 100, 1])).toBe(9.5);
  expect(median([])).toBeNaN();
  expect(mediansBy(Uint8Array.of(2, 0, 2, 2), Float64Array.of(1, 7, 3, 2))).toEqual([
    { value: 0, count: 1, medians: [7] },
    { value: 2, count: 3, medians: [2] },
  ]);
});

it('reads the last regret of a trace', () => {
  const bytes = new ArrayBuffer(40);
  new Float32Array(bytes, 24, 2).set([0.5, 0.25]);
  expect(lastRegret(bytes, 2)).toBe(0.25);
  new Float32Array(bytes, 24, 2).set([0.5, NaN]);
  expect(lastRegret(bytes, 2)).toBe(0.5);
  expect(lastRegret(bytes, 3)).toBeNaN();
});

it('says seconds as people do', () => {
  expect([1, 59, 1260, 9000, 86400 * 4].map(duration)).toEqual([
    '1 second',
    '59 seconds',
    '21 minutes',
    '2.5 hours',
    '4 days',
  ]);
});
