/**
 * One explorer: a table, what is looked at, and what follows from that.
 *
 * Signals hold what a person chose; all else is computed from them. Views read and set signals and
 * know nothing of each other. There may be several explorers on a page (a notebook).
 */
import { batch, computed, effect, signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Column, Manifest } from '../contract';
import { ownColumn } from '../data/column';
import { Filters, NO_BIN, binned } from '../data/filters';
import type { Bins, Range } from '../data/filters';
import { frontRows, paretoRanks } from '../data/pareto';
import { within } from '../data/region';
import type { Region } from '../data/region';
import { decode, describe, filesOf } from '../data/values';
import type { Numbers, Values } from '../data/values';
import { axisOf } from '../draw/scales';
import type { Axis, ScaleKind } from '../draw/scales';
import { ALL } from '../draw/surface';
import type { View } from '../draw/surface';
import { Finder } from '../engine';
import type { Cell, CellColumns } from '../engine';
import { Ahead } from '../source';
import type { Source } from '../source';
import { Background } from './background';

export const PARETO = 'pareto_rank';
export const DISTANCE = 'edit_distance';

/** What one holds in hand: a cell, and its row where the table has it (-1 where not). */
export interface InHand {
  readonly cell: Cell;
  readonly row: number;
}

export type Mode = 'points' | 'density';
export type Tool = 'pan' | 'box' | 'lasso';
export type Panel = 'cell' | 'compare' | 'searches' | 'campaign';

/** Bars of a histogram. */
export interface Histogram {
  readonly axis: Axis;
  readonly bins: Bins;
  /** Rows in each bin, whatever is filtered. */
  readonly all: Uint32Array;
}

const BARS = 60;

export class Explorer {
  readonly x: Signal<string>;
  readonly y: Signal<string>;
  readonly colour: Signal<string>;
  readonly size = signal<string | null>(null);
  readonly xScale = signal<ScaleKind>('linear');
  readonly yScale = signal<ScaleKind>('linear');
  readonly mode = signal<Mode>('points');
  readonly tool = signal<Tool>('pan');
  /** What stands beside the map. */
  readonly panel = signal<Panel>('cell');
  readonly front = signal(true);
  readonly marks = signal(true);
  /** What is seen of the axes; null for what shows nearly all. */
  readonly view = signal<View | null>(null);
  readonly region = signal<Region | null>(null);
  /** Columns that have a histogram, in order. */
  readonly shownFilters: Signal<string[]>;
  readonly inHand = signal<InHand | null>(null);
  /** Where one was before, for the way back. */
  readonly past = signal<InHand[]>([]);
  readonly pins = signal<number[]>([]);
  readonly hovered = signal(-1);
  /** Rows that a notebook or a view marks on the map. */
  readonly highlighted = signal<Uint32Array>(new Uint32Array(0));
  /** Rows that were chosen by number (a notebook), in place of a region. */
  readonly chosen = signal<Uint32Array | null>(null);
  /** Told to people: what went wrong, or what was done. */
  readonly notice = signal<string | null>(null);

  readonly filters: Filters;
  /** Counts the changes of filters: what depends on them reads it. */
  readonly filtered = signal(0);
  readonly columns: ReadonlyMap<string, Column>;
  readonly worker: Background;

  private readonly loaded = new Map<string, Signal<Values | null>>();
  private readonly reading = new Map<string, Promise<void>>();
  private readonly shared = new Map<string, Promise<Numbers>>();
  private readonly stops: (() => void)[] = [];

  constructor(
    readonly manifest: Manifest,
    readonly source: Source,
    cells: CellColumns,
    readonly finder: Finder,
    /** Ids of rows; null where a row is its id. */
    readonly ids: Numbers | null,
  ) {
    const derived = [derivedColumn(PARETO), derivedColumn(DISTANCE)];
    this.columns = new Map(
      [...manifest.columns, ...derived].map((column) => [column.name, column]),
    );
    this.x = signal(manifest.start.x);
    this.y = signal(manifest.start.y);
    this.colour = signal(manifest.start.colour);
    this.xScale.value = this.column(this.x.value).scale;
    this.yScale.value = this.column(this.y.value).scale;
    this.filters = new Filters(manifest.cells.count);
    this.shownFilters = signal(firstFilters(manifest));
    this.worker = new Background(cells, manifest.space);
    this.stops.push(
      effect(() => this.followPareto()),
      effect(() => this.followDistance()),
    );
  }

  get count(): number {
    return this.manifest.cells.count;
  }

  column(name: string): Column {
    const column = this.columns.get(name);
    if (column === undefined) throw new Error(`there is no column ${name}`);
    return column;
  }

  /** The id of a row. */
  id(row: number): number {
    return this.ids === null ? row : this.ids[row];
  }

  /** The row of an id, -1 where there is none. */
  rowOfId(id: number): number {
    const { ids } = this;
    if (ids === null) return Number.isInteger(id) && id >= 0 && id < this.count ? id : -1;
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return ids[low] === id ? low : -1;
  }

  /** A column's numbers, null until they are there. Read once. */
  values(name: string): ReadonlySignal<Values | null> {
    let values = this.loaded.get(name);
    if (values !== undefined) return values;
    values = signal<Values | null>(null);
    this.loaded.set(name, values);
    if (name !== PARETO && name !== DISTANCE) {
      const reading = this.read(name, values);
      this.reading.set(name, reading);
      reading.catch((error: unknown) => {
        // It is read anew when it is next asked for.
        this.loaded.delete(name);
        this.notice.value = `${this.column(name).title} cannot be read: ${sentence(error)}`;
      });
    }
    return values;
  }

  /** The same, awaited; rejected where it cannot be read. */
  async ready(name: string): Promise<Values> {
    const values = this.values(name);
    await this.reading.get(name);
    if (values.peek() !== null) return values.peek()!;
    return new Promise((resolve) => {
      const stop = effect(() => {
        if (values.value === null) return;
        resolve(values.value);
        queueMicrotask(() => stop());
      });
    });
  }

  private async read(name: string, into: Signal<Values | null>): Promise<void> {
    const column = this.column(name);
    const data = await decode(this.source, column.encoding, this.count, this.shared);
    into.value = describe(column, data);
  }

  // What follows from the choices ------------------------------------------------------------

  readonly xAxis: ReadonlySignal<Axis | null> = computed(() => {
    const values = this.values(this.x.value).value;
    return values && axisOf(values, this.xScale.value);
  });

  readonly yAxis: ReadonlySignal<Axis | null> = computed(() => {
    const values = this.values(this.y.value).value;
    return values && axisOf(values, this.yScale.value);
  });

  /** What is seen of the axes: as chosen, or what holds nearly all cells. */
  readonly seen: ReadonlySignal<View> = computed(() => this.view.value ?? this.fitted.value);

  private readonly fitted: ReadonlySignal<View> = computed(() => {
    const [x, y] = [this.values(this.x.value).value, this.values(this.y.value).value];
    const [xAxis, yAxis] = [this.xAxis.value, this.yAxis.value];
    if (x === null || y === null || xAxis === null || yAxis === null) return ALL;
    const [x0, x1] = spread(x, xAxis);
    const [y0, y1] = spread(y, yAxis);
    return { x0, x1, y0, y1 };
  });

  /** 1 for each row that is selected; null where nothing is. */
  readonly selected: ReadonlySignal<Uint8Array | null> = computed(() => {
    const chosen = this.chosen.value;
    if (chosen !== null) {
      const mask = new Uint8Array(this.count);
      for (const row of chosen) mask[row] = 1;
      return mask;
    }
    const region = this.region.value;
    if (region === null) return null;
    const x = this.values(region.x).value;
    const y = this.values(region.y).value;
    if (x === null || y === null) return null;
    const xAxis = axisOf(x, region.x === this.x.value ? this.xScale.value : x.column.scale);
    const yAxis = axisOf(y, region.y === this.y.value ? this.yScale.value : y.column.scale);
    return within(
      region,
      x.data,
      y.data,
      (value) => xAxis.position(value),
      (value) => yAxis.position(value),
    );
  });

  /** Rows that pass the filters and lie in the selection, if there is one. */
  readonly rowsLeft: ReadonlySignal<Uint32Array> = computed(() => {
    void this.filtered.value;
    const selected = this.selected.value;
    const { fails } = this.filters;
    const rows = new Uint32Array(this.count);
    let count = 0;
    for (let row = 0; row < fails.length; row++) {
      if (fails[row] === 0 && (selected === null || selected[row] !== 0)) rows[count++] = row;
    }
    return rows.subarray(0, count);
  });

  /** Rows of the front of the two axes among what passes the filters; null where axes have none. */
  readonly frontLine: ReadonlySignal<number[] | null> = computed(() => {
    void this.filtered.value;
    const [x, y] = [this.values(this.x.value).value, this.values(this.y.value).value];
    if (!this.front.value || x === null || y === null) return null;
    const [betterX, betterY] = [x.column.better, y.column.better];
    if (betterX === 0 || betterY === 0 || x.column.name === y.column.name) return null;
    return frontRows(x.data, y.data, betterX, betterY, this.filters.fails);
  });

  // What people do ------------------------------------------------------------------------------

  setAxis(which: 'x' | 'y', name: string): void {
    batch(() => {
      this[which].value = name;
      (which === 'x' ? this.xScale : this.yScale).value = this.column(name).scale;
      this.view.value = null;
    });
  }

  setScale(which: 'x' | 'y', kind: ScaleKind): void {
    batch(() => {
      (which === 'x' ? this.xScale : this.yScale).value = kind;
      this.view.value = null;
    });
  }

  /** Keep cells whose number lies within a range; null keeps all. */
  filter(name: string, range: Range | null): void {
    if (range === null) {
      this.filters.clear(name);
      this.filtered.value++;
      return;
    }
    const values = this.values(name).peek();
    if (values === null) {
      // Why there are none is told by who reads them.
      this.ready(name).then(
        () => this.filter(name, range),
        () => undefined,
      );
      return;
    }
    this.filters.set(name, values.data, range);
    this.filtered.value++;
  }

  clearFilters(): void {
    for (const name of this.filters.names) this.filters.clear(name);
    this.filtered.value++;
  }

  /** Take a cell in hand; where one was is kept for the way back. */
  take(next: InHand): void {
    const now = this.inHand.peek();
    batch(() => {
      if (now !== null) this.past.value = [...this.past.peek().slice(-99), now];
      this.inHand.value = next;
    });
  }

  takeRow(row: number): void {
    if (row < 0 || row >= this.count || this.inHand.peek()?.row === row) return;
    this.take({ cell: this.finder.cell(row), row });
  }

  back(): void {
    const past = this.past.peek();
    const last = past.at(-1);
    if (last === undefined) return;
    batch(() => {
      this.inHand.value = last;
      this.past.value = past.slice(0, -1);
    });
  }

  /** Pin a cell for comparison, or take the pin out; four at most. */
  pin(row: number): void {
    const pins = this.pins.peek();
    if (pins.includes(row)) this.pins.value = pins.filter((other) => other !== row);
    else if (pins.length < 4) this.pins.value = [...pins, row];
    else this.notice.value = 'Four cells are pinned already: take one out first.';
  }

  /** Forget the selection. */
  unselect(): void {
    batch(() => {
      this.region.value = null;
      this.chosen.value = null;
    });
  }

  // Histograms -----------------------------------------------------------------------------------

  private readonly histograms = new Map<string, { values: Values; histogram: Histogram }>();

  histogram(values: Values): Histogram {
    const { column } = values;
    const kept = this.histograms.get(column.name);
    if (kept !== undefined && kept.values === values) return kept.histogram;
    const axis = axisOf(values, column.scale);
    const bars =
      column.integer && values.high - values.low < BARS && column.scale === 'linear'
        ? Math.max(1, values.high - values.low + 1)
        : BARS;
    const bins = binned(values.data, bars, (value) => axis.position(value));
    const all = new Uint32Array(NO_BIN + 1);
    for (let row = 0; row < bins.of.length; row++) all[bins.of[row]]++;
    const histogram = { axis, bins, all: all.subarray(0, bins.count) };
    this.histograms.set(column.name, { values, histogram });
    return histogram;
  }

  // Columns that depend on what is looked at -----------------------------------------------------

  /** Whether a column is looked at by anything. */
  private used(name: string): boolean {
    return (
      this.x.value === name ||
      this.y.value === name ||
      this.colour.value === name ||
      this.size.value === name ||
      this.shownFilters.value.includes(name)
    );
  }

  /** Pareto ranks are of the two axes; of the first two with a direction where an axis is the rank itself. */
  private followPareto(): void {
    if (!this.used(PARETO)) return;
    const names = this.paretoAxes.value;
    if (names === null) return;
    const [x, y] = [this.values(names[0]).value, this.values(names[1]).value];
    if (x === null || y === null) return;
    const ranks = paretoRanks(
      x.data,
      y.data,
      x.column.better as 1 | -1,
      y.column.better as 1 | -1,
      null,
    );
    const data = Float32Array.from(ranks, (rank) => (rank === 0 ? NaN : rank));
    const title = `Pareto rank by ${x.column.title} and ${y.column.title}`;
    this.put({ ...this.column(PARETO), title }, data);
  }

  /** The two columns that Pareto ranks are of. */
  readonly paretoAxes: ReadonlySignal<readonly [string, string] | null> = computed(() => {
    const directed = (name: string) => this.column(name).better !== 0 && name !== PARETO;
    const pair = [this.x.value, this.y.value].filter(directed);
    for (const name of [this.manifest.start.x, this.manifest.start.y]) {
      if (pair.length < 2 && directed(name) && !pair.includes(name)) pair.push(name);
    }
    return pair.length < 2 || pair[0] === pair[1] ? null : [pair[0], pair[1]];
  });

  private followDistance(): void {
    if (!this.used(DISTANCE)) return;
    const row = this.inHand.value?.row ?? this.bestRow();
    if (row < 0) return;
    void this.distances(row).then(
      (steps) => {
        if ((this.inHand.peek()?.row ?? row) !== row) return;
        const data = Float32Array.from(steps, (step) => (step === 255 ? NaN : step));
        const title = `edits from cell ${this.id(row)}`;
        this.put({ ...this.column(DISTANCE), title }, data);
      },
      (error: unknown) => (this.notice.value = `No distances: ${sentence(error)}`),
    );
  }

  /** The cell that stands for the one in hand where none is: the best by the y axis, once known. */
  private bestRow(): number {
    const values = this.values(this.manifest.start.y).value;
    if (values === null) return -1;
    const sign = values.column.better === -1 ? -1 : 1;
    let best = -1;
    for (let row = 0; row < values.data.length; row++) {
      if (Number.isFinite(values.data[row])) {
        if (best < 0 || sign * values.data[row] > sign * values.data[best]) best = row;
      }
    }
    return best;
  }

  /** Edits from a cell to all: by the server where one answers, else in the page. */
  private async distances(row: number): Promise<Uint8Array> {
    if (this.manifest.live) {
      return new Uint8Array(await this.source.bytes(`distances/${row}.bin`));
    }
    return this.worker.distances(row, (share) => {
      this.notice.value = share < 1 ? `Measuring distances: ${Math.round(share * 100)} %` : null;
    });
  }

  private put(column: Column, data: Float32Array<ArrayBuffer>): void {
    const values = this.loaded.get(column.name);
    if (values === undefined) return;
    values.value = describe(column, data);
    const range = this.filters.range(column.name);
    if (range !== null) this.filter(column.name, range);
  }

  /** Have something ended with the explorer. */
  onDestroy(stop: () => void): void {
    this.stops.push(stop);
  }

  destroy(): void {
    for (const stop of this.stops) stop();
    this.worker.end();
  }
}

/** Read the cells of a table and begin. */
export async function open(from: Source): Promise<Explorer> {
  const source = new Ahead(from);
  const manifest = readManifest(await source.bytes('manifest.json'));
  const { cells, space } = manifest;
  // With the cells, and not after them: what the map and the filters show first.
  const first = new Set([...Object.values(manifest.start), ...firstFilters(manifest)]);
  const encodings = manifest.columns.filter(({ name }) => first.has(name));
  for (const path of new Set(encodings.flatMap(({ encoding }) => filesOf(encoding)))) {
    source.begin(path);
  }
  const read = async (encoding: typeof cells.edges_low) => {
    const data = await decode(source, encoding, cells.count);
    return data instanceof Uint32Array ? data : Uint32Array.from(data);
  };
  const [edgesLow, edgesHigh, labelsLow, labelsHigh, ids] = await Promise.all([
    read(cells.edges_low),
    cells.edges_high && read(cells.edges_high),
    read(cells.labels_low),
    read(cells.labels_high),
    cells.ids && decode(source, cells.ids, cells.count),
  ]);
  const columns = { edgesLow, edgesHigh, labelsLow, labelsHigh };
  return new Explorer(manifest, source, columns, new Finder(columns, space), ids);
}

function readManifest(bytes: ArrayBuffer): Manifest {
  let found: Partial<Manifest> | null;
  try {
    found = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Manifest> | null;
  } catch {
    throw new Error('manifest.json is damaged.');
  }
  if (found?.format !== 'nb101-explorer') throw new Error('manifest.json is not of an explorer.');
  if (found.version !== 1) {
    throw new Error(`it was made for another page, by nb101 ${found.made ?? '(unknown)'}.`);
  }
  return found as Manifest;
}

/** An error as a sentence for people. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function derivedColumn(name: typeof PARETO | typeof DISTANCE): Column {
  const title = name === PARETO ? 'Pareto rank of the two axes' : 'edits from the cell in hand';
  return ownColumn({
    name,
    title,
    short: name === PARETO ? 'Pareto rank' : 'edit distance',
    metric: name,
    group: 'shape',
    integer: true,
    scale: name === PARETO ? 'log' : 'linear',
  });
}

/** Histograms that are there at first: what the map shows, and what people ask for next. */
function firstFilters(manifest: Manifest): string[] {
  const wanted = [manifest.start.y, manifest.start.x, manifest.start.colour, 'depth', 'edges'];
  const known = new Set(manifest.columns.map((column) => column.name));
  return [...new Set(wanted)].filter((name) => known.has(name));
}

/**
 * Positions between which nearly all numbers lie: from the 1st of a hundred on where a long tail
 * would leave the rest no room, all of them otherwise.
 */
function spread(values: Values, axis: Axis): [number, number] {
  // Few steps have room beside each other.
  if (values.column.integer && values.high - values.low < 50) return [0, 1];
  const step = Math.max(1, Math.floor(values.data.length / 4096));
  const sample: number[] = [];
  for (let row = 0; row < values.data.length; row += step) {
    const at = axis.position(values.data[row]);
    if (at >= 0 && at <= 1) sample.push(at);
  }
  if (sample.length < 50) return [0, 1];
  sample.sort((a, b) => a - b);
  const low = sample[Math.floor(sample.length * 0.01)];
  const high = sample[Math.ceil(sample.length * 0.99) - 1];
  const room = (high - low) * 0.08;
  const from = low - room;
  const to = high + room;
  return [from > 0.3 ? from : 0, to < 0.7 ? to : 1];
}
