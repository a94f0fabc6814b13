/** Traces at a time, against what is obviously right: all queries looked at one by one. */
import { describe, expect, it } from 'vitest';
import {
  finished,
  incumbentsAfter,
  meanRegret,
  momentAt,
  nextQuery,
  queryBefore,
  readTrace,
  regretSteps,
  shareOf,
  stepPath,
  timeAxis,
  timeGrid,
} from '../../src/data/traces';
import type { Trace } from '../../src/data/traces';
import { bytesOf } from './made';

const trace = (
  seconds: number[],
  accuracy: number[],
  regret: number[] = accuracy.map((value) => 1 - value),
): Trace =>
  readTrace(
    bytesOf(
      seconds,
      accuracy,
      regret,
      seconds.map((_, at) => at + 10),
    ),
    seconds.length,
    'a.bin',
  );

/** A generator of numbers in [0, 1), the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function random(seed: number, queries: number): Trace {
  const next = seeded(seed);
  let clock = 0;
  const seconds = Array.from({ length: queries }, () => (clock += next() < 0.1 ? 0 : next() * 100));
  // Few different values, so that equal ones meet.
  const accuracy = seconds.map(() => Math.floor(next() * 50) / 50);
  return trace(seconds, accuracy);
}

describe('a file', () => {
  it('has twenty bytes a query', () => {
    const bytes = bytesOf([1], [0.5], [0.1], [7]);
    expect(readTrace(bytes, 1, 'a').row[0]).toBe(7);
    expect(() => readTrace(bytes, 2, 'a.bin')).toThrow(
      'a.bin has 20 bytes, where 2 queries take 40',
    );
    expect(readTrace(new ArrayBuffer(0), 0, 'a').incumbents).toHaveLength(0);
  });
  it.each([[[2, 1]], [[-1, 1]], [[0, NaN]], [[0, Infinity]]])('has a clock, not %j', (seconds) => {
    expect(() => trace(seconds, [0.1, 0.2])).toThrow('does not go forward');
  });
});

describe('the incumbent', () => {
  it('is the first of several equal ones', () => {
    const { best, incumbents } = trace([1, 2, 3, 4], [0.5, 0.7, 0.7, 0.6]);
    expect([...best]).toEqual([0, 1, 1, 1]);
    expect([...incumbents]).toEqual([0, 1]);
  });
  it('stays where an answer is NaN, as numpy.maximum.accumulate has it', () => {
    expect([...trace([1, 2, 3, 4], [0.5, NaN, 0.9, 0.6]).best]).toEqual([0, 0, 0, 0]);
    expect([...trace([1, 2], [NaN, 0.9]).best]).toEqual([0, 0]);
  });
});

describe('a time', () => {
  it('is that of the last query that has ended', () => {
    const one = trace([10, 20, 20, 30], [0.5, 0.4, 0.8, 0.7], [0.4, 0.4, 0.1, 0.1]);
    expect(momentAt(one, 9.9)).toEqual({
      queries: 0,
      seconds: NaN,
      incumbent: -1,
      accuracy: NaN,
      regret: NaN,
    });
    expect(momentAt(one, 10).queries).toBe(1);
    const now = momentAt(one, 20);
    expect([now.queries, now.seconds, now.incumbent]).toEqual([3, 20, 2]);
    expect(now.accuracy).toBeCloseTo(0.8);
    expect(now.regret).toBeCloseTo(0.1);
    expect(momentAt(one, Infinity).queries).toBe(4);
  });

  it('agrees with queries looked at one by one', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const one = random(seed, 300);
      const next = seeded(seed + 100);
      for (let at = 0; at < 200; at++) {
        const seconds = at % 2 === 0 ? one.seconds[at] : next() * one.seconds[299] * 1.1 - 5;
        const ended = [...one.seconds.keys()].filter((query) => one.seconds[query] <= seconds);
        expect(finished(one, seconds)).toBe(ended.length);
        const now = momentAt(one, seconds);
        let best = -1;
        for (const query of ended) {
          if (best < 0 || one.accuracy[query] > one.accuracy[best]) best = query;
        }
        expect(now.incumbent).toBe(best);
        expect(now.regret).toBe(best < 0 ? NaN : one.regret[ended.length - 1]);
        const count = incumbentsAfter(one, ended.length);
        expect(count === 0 ? -1 : one.incumbents[count - 1]).toBe(best);
      }
    }
  });

  it('steps from query to query of all runs', () => {
    const [one, other] = [trace([10, 30], [0.1, 0.2]), trace([20, 20, 40], [0.1, 0.2, 0.3])];
    const seen: number[] = [];
    for (let now: number | null = 0; now !== null; now = nextQuery([one, other], now))
      seen.push(now);
    expect(seen).toEqual([0, 10, 20, 30, 40]);
    const back: number[] = [];
    for (let now: number | null = 40; now !== null; now = queryBefore([one, other], now))
      back.push(now);
    expect(back).toEqual([40, 30, 20, 10]);
    expect(nextQuery([], 0)).toBeNull();
  });
});

describe('the axis of time', () => {
  it('goes from nothing, or from the first answer, to the end of the longest run', () => {
    const traces = [trace([0, 10, 30], [0.1, 0.2, 0.3]), trace([5, 100], [0.1, 0.2])];
    const [linear, log] = [timeAxis(traces, 'linear'), timeAxis(traces, 'log')];
    expect([linear.low, linear.high, log.low, log.high]).toEqual([0, 100, 5, 100]);
    expect(shareOf(linear, 25)).toBe(0.25);
    expect(shareOf(log, 0)).toBe(0);
    expect(shareOf(log, Math.sqrt(500))).toBeCloseTo(0.5);
    expect(shareOf(log, Infinity)).toBe(1);
    expect(shareOf(linear, 1e9)).toBe(1);
  });
  it('is there where there is nothing', () => {
    expect(timeAxis([], 'log').high).toBe(1);
    expect(timeAxis([trace([0], [0.1])], 'log').low).toBeGreaterThan(0);
  });
});

describe('curves', () => {
  it('keep the changes of regret alone', () => {
    const steps = regretSteps(trace([1, 2, 3], [0, 0, 0], [0.5, 0.5, 0.25]));
    expect([steps.seconds, steps.values]).toEqual([
      [1, 3],
      [0.5, 0.25],
    ]);
  });

  it('are steps', () => {
    const steps = { seconds: [10, 20], values: [5, 3] };
    const same = (value: number) => value;
    expect(stepPath(steps, 30, same, same)).toBe('M10 5V5H20V3H30');
    expect(stepPath(steps, 15, same, same)).toBe('M10 5V5H15');
    expect(stepPath({ seconds: [], values: [] }, 15, same, same)).toBe('');
    expect(stepPath({ seconds: [1, 2], values: [NaN, 4] }, 3, same, same)).toBe('M2 4V4H3');
  });

  it('are thinned to a stroke a pixel, which reaches as far as all in it', () => {
    const next = seeded(9);
    const seconds = Array.from({ length: 5000 }, (_, at) => at);
    const values = seconds.map(() => next() * 100);
    const path = stepPath(
      { seconds, values },
      5000,
      (x) => x / 100,
      (y) => y,
    );
    const strokes = path.match(/[MHV][^MHV]*/g)!;
    expect(strokes.length).toBeLessThan(50 * 4 + 3);
    const heights = strokes.filter((one) => one.startsWith('V')).map((one) => Number(one.slice(1)));
    expect(Math.min(...heights)).toBeCloseTo(Math.min(...values), 0);
    expect(Math.max(...heights)).toBeCloseTo(Math.max(...values), 0);
  });

  it('have a mean over runs once all have answered', () => {
    const traces = [trace([1, 3], [0, 0], [0.4, 0.2]), trace([2, 4], [0, 0], [0.2, 0])];
    const times = Float64Array.of(0, 1, 2, 3, 4);
    const mean = [...meanRegret(traces, times)];
    expect(mean.slice(0, 2)).toEqual([NaN, NaN]);
    expect(mean[2]).toBeCloseTo(0.3);
    expect(mean[3]).toBeCloseTo(0.2);
    expect(mean[4]).toBeCloseTo(0.1);
    const grid = timeGrid(timeAxis(traces, 'log'), 3);
    expect(grid[0]).toBeCloseTo(1);
    expect(grid[1]).toBeCloseTo(2);
    expect(grid[2]).toBeCloseTo(4);
  });
});
