/** Pareto ranks in two columns: 1 is the front, 2 the front of the rest, and so on. */
import type { Numbers } from './values';

/**
 * Rank of each row by two numbers, of which `betterX`, `betterY` say whether more is better (1) or
 * less (-1). Equal pairs share a rank. 0 where a number is missing or `fails` is set.
 *
 * Sorted by x, a row's front is the first whose best y so far it is not dominated by: those bests
 * descend from front to front, so that it is found by bisection. n log n in all.
 */
export function paretoRanks(
  x: Numbers,
  y: Numbers,
  betterX: 1 | -1,
  betterY: 1 | -1,
  fails: Uint8Array | null,
): Uint32Array {
  const ranks = new Uint32Array(x.length);
  const rows: number[] = [];
  for (let row = 0; row < x.length; row++) {
    if (fails !== null && fails[row] !== 0) continue;
    if (Number.isFinite(x[row]) && Number.isFinite(y[row])) rows.push(row);
  }
  const sorted = Uint32Array.from(rows).sort(
    (a, b) => betterX * (x[b] - x[a]) || betterY * (y[b] - y[a]),
  );
  /** The best y of each front so far, as more is better. */
  const best: number[] = [];
  let lastX = NaN;
  let lastY = NaN;
  let lastRank = 0;
  for (const row of sorted) {
    const height = betterY * y[row];
    if (x[row] !== lastX || y[row] !== lastY) {
      let low = 0;
      let high = best.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        // All before it have an x that is as good: it is dominated where one has a y as good.
        if (best[middle] >= height) low = middle + 1;
        else high = middle;
      }
      best[low] = height;
      lastRank = low + 1;
      lastX = x[row];
      lastY = y[row];
    }
    ranks[row] = lastRank;
  }
  return ranks;
}

/**
 * Rows of the front, from the best x to the worst, one for each pair of numbers. Not all rows are
 * sorted: bests of y by buckets of x leave few candidates.
 */
export function frontRows(
  x: Numbers,
  y: Numbers,
  betterX: 1 | -1,
  betterY: 1 | -1,
  fails: Uint8Array | null,
): number[] {
  let low = Infinity;
  let high = -Infinity;
  const stands = (row: number) =>
    (fails === null || fails[row] === 0) && Number.isFinite(x[row]) && Number.isFinite(y[row]);
  for (let row = 0; row < x.length; row++) {
    if (!stands(row)) continue;
    const at = betterX * x[row];
    if (at < low) low = at;
    if (at > high) high = at;
  }
  if (low > high) return [];
  const buckets = 1024;
  const scale = high > low ? (buckets - 1) / (high - low) : 0;
  // The best y among rows whose x is in a better bucket: a row below it is dominated.
  const top = new Float64Array(buckets + 1).fill(-Infinity);
  for (let row = 0; row < x.length; row++) {
    if (!stands(row)) continue;
    const bucket = Math.floor((betterX * x[row] - low) * scale);
    if (betterY * y[row] > top[bucket]) top[bucket] = betterY * y[row];
  }
  for (let bucket = buckets - 1; bucket >= 0; bucket--) {
    if (top[bucket + 1] > top[bucket]) top[bucket] = top[bucket + 1];
  }
  const candidates: number[] = [];
  for (let row = 0; row < x.length; row++) {
    if (!stands(row)) continue;
    const bucket = Math.floor((betterX * x[row] - low) * scale);
    if (betterY * y[row] > top[bucket + 1] || bucket === buckets - 1) candidates.push(row);
  }
  candidates.sort((a, b) => betterX * (x[b] - x[a]) || betterY * (y[b] - y[a]));
  const front: number[] = [];
  let best = -Infinity;
  for (const row of candidates) {
    if (betterY * y[row] > best) {
      front.push(row);
      best = betterY * y[row];
    }
  }
  return front;
}
