/** What the suggested questions come to, computed of columns. No DOM. */
import type { Numbers } from './values';

export interface NearlyBest {
  readonly best: number;
  readonly bestRow: number;
  /** Rows within reach of the best. */
  readonly count: number;
  /** The one of them that costs least. */
  readonly cheapest: number;
}

/** Cells whose accuracy is at most `reach` below the best; null where no cell has both numbers. */
export function nearlyBest(accuracy: Numbers, cost: Numbers, reach: number): NearlyBest | null {
  let bestRow = -1;
  for (let row = 0; row < accuracy.length; row++) {
    if (Number.isFinite(accuracy[row]) && Number.isFinite(cost[row])) {
      if (bestRow < 0 || accuracy[row] > accuracy[bestRow]) bestRow = row;
    }
  }
  if (bestRow < 0) return null;
  const best = accuracy[bestRow];
  let count = 0;
  let cheapest = bestRow;
  for (let row = 0; row < accuracy.length; row++) {
    if (!(accuracy[row] >= best - reach)) continue;
    count++;
    if (cost[row] < cost[cheapest]) cheapest = row;
  }
  return { best, bestRow, count, cheapest };
}

/** The median of numbers, those that are none left out; NaN where there are none. */
export function median(numbers: Iterable<number>): number {
  const sorted = Float64Array.from(numbers).filter(Number.isFinite).sort();
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Medians of rows by a small whole number of each, ascending. */
export function mediansBy(
  of: Numbers,
  ...columns: readonly Numbers[]
): { value: number; count: number; medians: number[] }[] {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < of.length; row++) {
    const value = of[row];
    if (!Number.isFinite(value)) continue;
    const known = rows.get(value);
    if (known === undefined) rows.set(value, [row]);
    else known.push(row);
  }
  return [...rows.entries()]
    .sort(([a], [b]) => a - b)
    .map(([value, own]) => ({
      value,
      count: own.length,
      medians: columns.map((column) => median(own.map((row) => column[row]))),
    }));
}

/** The last regret of a trace's file: see `contract`; NaN where there is none. */
export function lastRegret(bytes: ArrayBuffer, queries: number): number {
  if (queries === 0 || bytes.byteLength < 20 * queries) return NaN;
  const regret = new Float32Array(bytes, 12 * queries, queries);
  for (let at = queries - 1; at >= 0; at--) if (Number.isFinite(regret[at])) return regret[at];
  return NaN;
}

/** Seconds as people say them: "45 seconds", "21 minutes", "1.6 hours". */
export function duration(seconds: number): string {
  const say = (count: string, unit: string) => `${count} ${unit}${count === '1' ? '' : 's'}`;
  if (seconds < 99.5) return say(String(Math.round(seconds)), 'second');
  if (seconds < 99.5 * 60) return say(String(Math.round(seconds / 60)), 'minute');
  if (seconds < 72 * 3600) return say(String(Number((seconds / 3600).toFixed(1))), 'hour');
  return say(String(Number((seconds / 86400).toFixed(1))), 'day');
}
