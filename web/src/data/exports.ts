/** What leaves the page: cells and their numbers as CSV, Parquet, hashes, or Python. No DOM but Blob. */
import type { Column, Kind, Manifest } from '../contract';
import type { Range } from './filters';
import type { Numbers, Values } from './values';

/** A row a cell, columns named as in the page; or a row a cell and budget, as nb101's tables are. */
export type Layout = 'cells' | 'runs';

/** What is exported. */
export interface Extract {
  readonly manifest: Manifest;
  readonly layout: Layout;
  readonly rows: Uint32Array;
  /** Of `rows`. */
  readonly ids: Float64Array;
  readonly columns: readonly Values[];
  /** Of `rows`; null where none are wanted. */
  readonly hashes: readonly string[] | null;
}

/** A column of what is written. */
export type Field =
  | { readonly name: string; readonly data: Numbers }
  | { readonly name: string; readonly texts: readonly string[] }
  /** The same word in each row. */
  | { readonly name: string; readonly word: string };

export type Progress = (share: number) => void;

/** Rows that are written between two looks at what else is to be done. */
const PIECE = 20000;

/** The columns of an extract, in order, and how many rows they have. */
export function fieldsOf(extract: Extract): { fields: Field[]; count: number } {
  const { manifest, layout, rows, ids, columns, hashes } = extract;
  const budgets = layout === 'runs' ? budgetsOf(columns.map(({ column }) => column)) : [];
  const times = Math.max(1, budgets.length);
  const count = rows.length * times;
  const fields: Field[] = [];
  if (hashes !== null) fields.push({ name: 'hash', texts: repeated(hashes, times) });
  const most = ids.reduce((a, b) => Math.max(a, b), 0);
  const kept = most < 2 ** 31 ? new Int32Array(count) : new Float64Array(count);
  for (let at = 0; at < count; at++) kept[at] = ids[at % rows.length];
  fields.push({ name: 'cell_id', data: kept });
  if (budgets.length > 0) {
    const data = new Int32Array(count);
    budgets.forEach((epochs, at) => data.fill(epochs, at * rows.length, (at + 1) * rows.length));
    fields.push({ name: 'epochs', data });
  }
  if (budgets.length === 0) {
    for (const { column, data } of columns) {
      fields.push({ name: column.name, data: gathered([data], rows) });
    }
  } else {
    const names = new Set(columns.map(({ column }) => runName(column)));
    for (const name of names) {
      const own = columns.filter(({ column }) => runName(column) === name);
      const pieces = budgets.map(
        (epochs) =>
          own.find(({ column }) => column.epochs === epochs || column.epochs === null)?.data ??
          null,
      );
      fields.push({ name, data: gathered(pieces, rows) });
    }
  }
  fields.push({ name: 'kind', word: manifest.table.kind });
  return { fields, count };
}

/** Budgets of columns, ascending. */
export function budgetsOf(columns: readonly Column[]): number[] {
  const epochs = columns.flatMap((column) => (column.epochs === null ? [] : [column.epochs]));
  return [...new Set(epochs)].sort((a, b) => a - b);
}

/** What a column is called in nb101's own tables. */
function runName(column: Column): string {
  if (column.group === 'accuracy' || column.group === 'time') return `final_${column.metric}`;
  return column.metric === 'parameters' ? 'trainable_parameters' : column.metric;
}

function repeated(texts: readonly string[], times: number): readonly string[] {
  return times === 1 ? texts : Array.from({ length: times }, () => texts).flat();
}

/** Numbers of rows out of columns, one column after another; NaN for one that is missing. */
function gathered(columns: readonly (Numbers | null)[], rows: Uint32Array): Numbers {
  const there = columns.filter((column) => column !== null);
  const missing = there.length < columns.length;
  const wide = missing && !(there[0] instanceof Float32Array) ? Float64Array : arrayOf(there[0]);
  const to = new wide(rows.length * columns.length);
  columns.forEach((column, part) => {
    const start = part * rows.length;
    if (column === null) to.fill(NaN, start, start + rows.length);
    else for (let at = 0; at < rows.length; at++) to[start + at] = column[rows[at]];
  });
  return to;
}

function arrayOf(numbers: Numbers): new (length: number) => Numbers {
  return numbers.constructor as new (length: number) => Numbers;
}

// CSV ---------------------------------------------------------------------------------------------

/** The shortest digits that give a number of 32 bits back. */
export function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** A number as it is read back to the last bit; nothing where there is none. */
function written(data: Numbers, at: number): string {
  const value = data[at];
  if (Number.isNaN(value)) return '';
  return data instanceof Float32Array ? shortest(value) : String(value);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export async function csvOf(extract: Extract, progress: Progress = () => undefined): Promise<Blob> {
  const { fields, count } = fieldsOf(extract);
  const pieces: string[] = [`${fields.map(({ name }) => quoted(name)).join(',')}\n`];
  const cells = fields.map((field) => {
    if ('data' in field) return (at: number) => written(field.data, at);
    if ('texts' in field) return (at: number) => quoted(field.texts[at]);
    const word = quoted(field.word);
    return () => word;
  });
  for (let first = 0; first < count; first += PIECE) {
    const last = Math.min(count, first + PIECE);
    let piece = '';
    for (let at = first; at < last; at++) {
      piece += cells[0](at);
      for (let field = 1; field < cells.length; field++) piece += `,${cells[field](at)}`;
      piece += '\n';
    }
    pieces.push(piece);
    progress(last / count);
    await breath();
  }
  return new Blob(pieces, { type: 'text/csv' });
}

/** Let the page do what waits. */
function breath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

// Parquet -----------------------------------------------------------------------------------------

/**
 * A Parquet file. Its metadata say of which kind the numbers are; those of runs have nb101's own
 * entry too, so that `Table.from_arrow` knows the space of the ids and where the numbers came from.
 */
export async function parquetOf(extract: Extract): Promise<Blob> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const { fields, count } = fieldsOf(extract);
  const { manifest } = extract;
  const about = [
    { key: 'kind', value: manifest.table.kind },
    { key: 'table', value: manifest.table.name },
    { key: 'made', value: `nb101 ${manifest.made}, explorer` },
  ];
  if (fields.some(({ name }) => name === 'epochs'))
    about.push({ key: 'nb101', value: own(extract) });
  const bytes = parquetWriteBuffer({
    columnData: fields.map((field) => {
      const { name } = field;
      if ('texts' in field) {
        // All differ: no dictionary is tried, no statistics are of use.
        return {
          name,
          data: [...field.texts],
          type: 'STRING',
          nullable: false,
          encoding: 'PLAIN',
          statistics: false,
        };
      }
      if ('word' in field) {
        const data = new Array<string>(count).fill(field.word);
        return { name, data, type: 'STRING', nullable: false };
      }
      return { name, nullable: false, ...typed(name, field.data) };
    }),
    kvMetadata: about,
    createdBy: `nb101 ${manifest.made}`,
    rowGroupSize: 1 << 18,
  });
  return new Blob([bytes], { type: 'application/vnd.apache.parquet' });
}

function typed(name: string, data: Numbers) {
  if (data instanceof Float32Array) return { data, type: 'FLOAT' as const };
  if (data instanceof Float64Array && name !== 'cell_id') return { data, type: 'DOUBLE' as const };
  if (data.every((value) => value < 2 ** 31)) {
    return {
      data: data instanceof Int32Array ? data : Int32Array.from(data),
      type: 'INT32' as const,
    };
  }
  return { data: BigInt64Array.from(data, BigInt), type: 'INT64' as const };
}

/** The entry of a table's metadata: see `nb101/table/about.py`. */
function own({ manifest, rows }: Extract): string {
  const { max_vertices, max_edges, ops } = manifest.space;
  const { name, kind } = manifest.table;
  return JSON.stringify({
    format: 2,
    version: manifest.made,
    space: { max_vertices, max_edges, ops },
    provenance: {
      kind,
      source: name,
      note: `${rows.length} cells of ${name}, exported by the explorer; means over repeats`,
    },
  });
}

// Hashes, Python, names ----------------------------------------------------------------------------

/** One hash a line, as `nb101 query` takes them. */
export function hashesOf(hashes: readonly string[]): Blob {
  return new Blob(
    hashes.map((hash) => `${hash}\n`),
    { type: 'text/plain' },
  );
}

/** A filter that is in force. */
export interface Kept {
  readonly column: Column;
  readonly range: Range;
  /** Least and greatest number of the column. */
  readonly low: number;
  readonly high: number;
}

/** How Python gets a column of a table as the page has it; null where that takes more than a line. */
export function pythonColumn(manifest: Manifest, column: Column): string | null {
  const { metric, epochs, group } = column;
  if (group === 'accuracy' || group === 'time') return `table.mean("${metric}", ${epochs ?? ''})`;
  // Of runs without a column of their own it would be a standard deviation.
  if (group === 'error' && /^(spread|uncertainty) of /.test(column.title)) {
    return `table.mean("${metric}", ${epochs ?? ''})`;
  }
  switch (column.name) {
    case 'vertices':
      return 'table.cells.vertices';
    case 'edges':
      return 'table.cells.num_edges';
    case 'depth':
      return 'table.cells.depth()';
    case 'width':
      return 'table.cells.width()';
    case 'parameters':
      return 'table.parameters[np.unique(table.column("cell_id"), return_index=True)[1]]';
    case 'flops':
      // Of another table the network may be another one.
      return manifest.table.python === 'nb101.load_table()' ? 'table.cells.flops()' : null;
  }
  const code = manifest.columns
    .filter((other) => other.group === 'ops')
    .findIndex((other) => other.name === column.name);
  return code < 0 ? null : `(table.cells.operations() == ${code}).sum(axis=1)`;
}

/** Filters as an expression of a mask of cells; null where one cannot be said so. */
export function pythonMask(manifest: Manifest, kept: readonly Kept[]): string | null {
  const terms: string[] = [];
  for (const { column, range, low, high } of kept) {
    const of = pythonColumn(manifest, column);
    if (of === null) return null;
    const ends: string[] = [];
    if (range[0] > low) ends.push(`(${of} >= ${range[0]})`);
    if (range[1] < high) ends.push(`(${of} <= ${range[1]})`);
    // A number that is missing passes no filter.
    if (ends.length === 0) ends.push(`(${of} >= ${low})`);
    terms.push(...ends);
  }
  return terms.join(' & ');
}

/**
 * Python that selects the same cells: by filters where these say all, by ids otherwise. `kept` is
 * null where a selection or a column of the page's own has a part in it.
 */
export function pythonOf(
  manifest: Manifest,
  kept: readonly Kept[] | null,
  ids: () => Iterable<number>,
): string {
  const table = manifest.table.python;
  if (kept !== null && kept.length === 0) return `import nb101\ntable = ${table}\n`;
  const mask = kept && pythonMask(manifest, kept);
  if (mask === null) return `import nb101\ntable = ${table}.select([${[...ids()].join(', ')}])\n`;
  const numpy = mask.includes('np.') ? 'import numpy as np\n' : '';
  return `import nb101\n${numpy}table = ${table}\ntable = table.select(table.cell_ids[${mask}])\n`;
}

/** A file's name: the table, that it is predicted, what it is. */
export function fileName(
  table: { readonly name: string; readonly kind: Kind },
  what: string,
  ending: string,
): string {
  const name =
    table.name
      .replace(/^.*[\\/]/, '')
      .replace(/\.(arrow|parquet|feather|ipc|pq)$/i, '')
      .replace(/[^\w.-]+/g, '-')
      .replace(/^[.-]+|[.-]+$/g, '')
      .slice(0, 80) || 'table';
  return `${name}${table.kind === 'predicted' ? '-predicted' : ''}-${what}.${ending}`;
}
