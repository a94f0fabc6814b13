/** Traces of searches: what had been asked, and what was the best of it, at any simulated time. */
import { axisBetween } from '../draw/scales';
import type { Axis, ScaleKind } from '../draw/scales';

/** One run of a search; one entry a query. */
export interface Trace {
  readonly queries: number;
  /** The simulated clock when the query ended; ascending. */
  readonly seconds: Float64Array<ArrayBuffer>;
  /** Validation accuracy, as the searcher was told. */
  readonly accuracy: Float32Array<ArrayBuffer>;
  /** Test regret of the incumbent. */
  readonly regret: Float32Array<ArrayBuffer>;
  readonly row: Uint32Array<ArrayBuffer>;
  /** The query whose cell was the incumbent after each query. */
  readonly best: Uint32Array<ArrayBuffer>;
  /** The queries whose cells became the incumbent, in order. */
  readonly incumbents: Uint32Array<ArrayBuffer>;
}

/** What a run had come to at a time. */
export interface Moment {
  /** Queries that had ended. */
  readonly queries: number;
  /** When the last of them ended; NaN before the first. */
  readonly seconds: number;
  /** The query whose cell was the incumbent; -1 before the first. */
  readonly incumbent: number;
  readonly accuracy: number;
  readonly regret: number;
}

/** Bytes of a query: f64 seconds, f32 accuracy, f32 regret, u32 row. */
const BYTES = 20;

/** Read a file of a trace: seconds, accuracies, regrets and rows, one after the other. */
export function readTrace(bytes: ArrayBuffer, queries: number, file: string): Trace {
  if (bytes.byteLength !== queries * BYTES) {
    throw new Error(
      `${file} has ${bytes.byteLength} bytes, where ${queries} queries take ${queries * BYTES}`,
    );
  }
  const seconds = new Float64Array(bytes, 0, queries);
  const accuracy = new Float32Array(bytes, queries * 8, queries);
  const regret = new Float32Array(bytes, queries * 12, queries);
  const row = new Uint32Array(bytes, queries * 16, queries);
  for (let query = 0; query < queries; query++) {
    if (!(seconds[query] >= (query === 0 ? 0 : seconds[query - 1]) && seconds[query] < Infinity)) {
      throw new Error(`${file}: the clock does not go forward at query ${query}`);
    }
  }
  const best = new Uint32Array(queries);
  const incumbents: number[] = [];
  let now = 0;
  // As nb101.search has it: the first of several equal ones, and none after an answer that is NaN.
  let open = true;
  for (let query = 0; query < queries; query++) {
    if (Number.isNaN(accuracy[query])) open = false;
    if (query === 0 || (open && accuracy[query] > accuracy[now])) {
      now = query;
      incumbents.push(query);
    }
    best[query] = now;
  }
  return {
    queries,
    seconds,
    accuracy,
    regret,
    row,
    best,
    incumbents: Uint32Array.from(incumbents),
  };
}

/** How many numbers of an ascending list are at most a value. */
function upTo(ascending: Float64Array | Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Queries that have ended at a time. */
export function finished(trace: Trace, seconds: number): number {
  return upTo(trace.seconds, seconds);
}

/** How many cells have been the incumbent after some queries. */
export function incumbentsAfter(trace: Trace, queries: number): number {
  return upTo(trace.incumbents, queries - 1);
}

/** What a run had come to: that of the last query that has ended. */
export function momentAt(trace: Trace, seconds: number): Moment {
  const queries = finished(trace, seconds);
  if (queries === 0) {
    return { queries, seconds: NaN, incumbent: -1, accuracy: NaN, regret: NaN };
  }
  const last = queries - 1;
  const incumbent = trace.best[last];
  return {
    queries,
    seconds: trace.seconds[last],
    incumbent,
    accuracy: trace.accuracy[incumbent],
    regret: trace.regret[last],
  };
}

/** When the next query of any run ends; null after the last. */
export function nextQuery(traces: readonly Trace[], seconds: number): number | null {
  let next = Infinity;
  for (const trace of traces) {
    const at = finished(trace, seconds);
    if (at < trace.queries) next = Math.min(next, trace.seconds[at]);
  }
  return next < Infinity ? next : null;
}

/** When the query before of any run ended; null before the first. */
export function queryBefore(traces: readonly Trace[], seconds: number): number | null {
  let before = -Infinity;
  for (const trace of traces) {
    let at = finished(trace, seconds) - 1;
    while (at >= 0 && trace.seconds[at] >= seconds) at--;
    if (at >= 0) before = Math.max(before, trace.seconds[at]);
  }
  return before > -Infinity ? before : null;
}

/** The axis of simulated time: to the end of the longest run, from 0 or from the first answer. */
export function timeAxis(traces: readonly Trace[], kind: ScaleKind): Axis {
  let first = Infinity;
  let end = 0;
  for (const trace of traces) {
    if (trace.queries === 0) continue;
    const positive = trace.seconds.find((seconds) => seconds > 0);
    if (positive !== undefined) first = Math.min(first, positive);
    end = Math.max(end, trace.seconds[trace.queries - 1]);
  }
  if (end === 0) end = 1;
  if (kind === 'linear') return axisBetween(0, end, 'linear');
  return axisBetween(first < end ? first : end / 10, end, 'log');
}

/** What share of a time axis has gone by: from 0 to 1. */
export function shareOf(axis: Axis, seconds: number): number {
  if (seconds === Infinity) return 1;
  const share = axis.position(seconds);
  return share > 0 ? Math.min(1, share) : 0;
}

/** A step function: from each time on its value, until the next. */
export interface Steps {
  readonly seconds: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Regret over time, of which only the changes are kept. */
export function regretSteps(trace: Trace): Steps {
  const seconds: number[] = [];
  const values: number[] = [];
  for (let query = 0; query < trace.queries; query++) {
    if (query > 0 && Object.is(trace.regret[query], trace.regret[query - 1])) continue;
    seconds.push(trace.seconds[query]);
    values.push(trace.regret[query]);
  }
  return { seconds, values };
}

/** Times on an axis, evenly from one end to the other. */
export function timeGrid(axis: Axis, count: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: count }, (_, at) => axis.value(at / (count - 1)));
}

/** The mean regret of runs at times; NaN before each of them has had an answer. */
export function meanRegret(
  traces: readonly Trace[],
  times: Float64Array<ArrayBuffer>,
): Float64Array<ArrayBuffer> {
  return times.map((seconds) => {
    let sum = 0;
    for (const trace of traces) sum += momentAt(trace, seconds).regret;
    return sum / traces.length;
  });
}

const written = (pixels: number) => String(Math.round(pixels * 10) / 10);

/**
 * Steps as an SVG path until an end. All that lies within one pixel's column is one stroke from
 * its least to its greatest value, so that a path has at most some numbers a pixel.
 */
export function stepPath(
  steps: Steps,
  end: number,
  x: (seconds: number) => number,
  y: (value: number) => number,
): string {
  const parts: string[] = [];
  let there = false;
  let column = NaN;
  let low = NaN;
  let high = NaN;
  let last = NaN;
  const close = () => {
    // The stroke of the column that is left; nothing where it is the last value alone.
    if (there && low < high) parts.push(`V${written(low)}V${written(high)}V${written(last)}`);
    else if (there) parts.push(`V${written(last)}`);
  };
  for (let at = 0; at < steps.seconds.length; at++) {
    if (steps.seconds[at] > end) break;
    const [px, py] = [x(steps.seconds[at]), y(steps.values[at])];
    if (!Number.isFinite(px) || !Number.isFinite(py)) continue;
    if (!there) {
      parts.push(`M${written(px)} ${written(py)}`);
      there = true;
    } else if (Math.floor(px) === column) {
      low = Math.min(low, py);
      high = Math.max(high, py);
      last = py;
      continue;
    } else {
      close();
      parts.push(`H${written(px)}`);
    }
    column = Math.floor(px);
    low = high = last = py;
  }
  close();
  if (there && Number.isFinite(x(end))) parts.push(`H${written(x(end))}`);
  return parts.join('');
}
