/** Ranges of columns that cells must lie in, all at once; and histograms that follow them. */
import type { Numbers } from './values';

export type Range = readonly [low: number, high: number];

/** Rows in bins: each row's bin, `NO_BIN` where it has no number. */
export interface Bins {
  readonly of: Uint8Array;
  readonly count: number;
}

export const NO_BIN = 255;

interface Filter {
  range: Range;
  /** 1 where a row fails. */
  fails: Uint8Array;
}

export class Filters {
  /** How many filters each row fails: it is left where that is 0. */
  readonly fails: Uint8Array;
  /** Rows that pass all. */
  left: number;
  private readonly filters = new Map<string, Filter>();

  constructor(readonly count: number) {
    this.fails = new Uint8Array(count);
    this.left = count;
  }

  range(name: string): Range | null {
    return this.filters.get(name)?.range ?? null;
  }

  get names(): string[] {
    return [...this.filters.keys()];
  }

  /** Ask for numbers within a range, ends included; a row without one fails. */
  set(name: string, data: Numbers, range: Range): void {
    let filter = this.filters.get(name);
    if (filter === undefined) {
      filter = { range, fails: new Uint8Array(this.count) };
      this.filters.set(name, filter);
    }
    filter.range = range;
    const [low, high] = range;
    const { fails } = this;
    const own = filter.fails;
    let left = 0;
    for (let row = 0; row < own.length; row++) {
      const value = data[row];
      const now = value >= low && value <= high ? 0 : 1;
      const total = fails[row] + now - own[row];
      own[row] = now;
      fails[row] = total;
      if (total === 0) left++;
    }
    this.left = left;
  }

  clear(name: string): void {
    const filter = this.filters.get(name);
    if (filter === undefined) return;
    this.filters.delete(name);
    let left = 0;
    for (let row = 0; row < this.count; row++) {
      if ((this.fails[row] -= filter.fails[row]) === 0) left++;
    }
    this.left = left;
  }

  /** Rows in each bin that pass every filter but the one on the column itself. */
  histogram(name: string, bins: Bins): Uint32Array {
    const counts = new Uint32Array(NO_BIN + 1);
    const own = this.filters.get(name)?.fails;
    const { fails } = this;
    if (own === undefined) {
      for (let row = 0; row < fails.length; row++) if (fails[row] === 0) counts[bins.of[row]]++;
    } else {
      for (let row = 0; row < fails.length; row++) {
        if (fails[row] === own[row]) counts[bins.of[row]]++;
      }
    }
    return counts.subarray(0, bins.count);
  }
}

/** Put rows into bins between edges of a position in [0, 1]: see `draw/scales`. */
export function binned(data: Numbers, count: number, position: (value: number) => number): Bins {
  const of = new Uint8Array(data.length);
  for (let row = 0; row < data.length; row++) {
    const at = position(data[row]);
    // A number that a logarithmic axis cannot show has no position.
    of[row] = at >= 0 && at <= 1 ? Math.min(count - 1, Math.floor(at * count)) : NO_BIN;
  }
  return { of, count };
}
