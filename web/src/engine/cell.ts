/** A cell, the two words that a table has it in, and its edges as bit sets. */

/** A cell, or a module of which every vertex is on a path: edges lead from lower to higher vertices. */
export interface Cell {
  /** Vertices: 0 is input, n - 1 is output. */
  readonly n: number;
  /** `x < y`, ascending by y, then x. */
  readonly edges: readonly (readonly [number, number])[];
  /** Of vertices 1 to n - 2: indices into the ops of the space. */
  readonly ops: readonly number[];
}

export interface SpaceShape {
  max_vertices: number;
  max_edges: number;
  ops: string[];
}

/** What two words of 64 bits hold at most. */
export const MOST_VERTICES = 11;

/** In-neighbours of each vertex as bit sets; bit x of `columns[y]` is the edge from x to y. */
export type Columns = readonly number[];

/** The bit of edge (0, y) in the word of edges; that of (x, y) is x more. */
export function firstBit(y: number): number {
  return (y * (y - 1)) / 2;
}

/** Vertices of a cell by its word of labels. */
export function verticesOf(labelsHigh: number): number {
  return labelsHigh >>> 28;
}

/** The in-neighbours of y in a word of edges, which may lie across its two halves. */
export function columnOf(edgesLow: number, edgesHigh: number, y: number): number {
  const bit = firstBit(y);
  const mask = (1 << y) - 1;
  if (bit >= 32) return (edgesHigh >>> (bit - 32)) & mask;
  const low = edgesLow >>> bit;
  return (bit + y > 32 ? low | (edgesHigh << (32 - bit)) : low) & mask;
}

/** The op of an interior vertex in a word of labels: vertex 1 is above the 32 lower bits. */
export function opOf(labelsLow: number, labelsHigh: number, vertex: number): number {
  return (vertex === 1 ? labelsHigh : labelsLow >>> (4 * (9 - vertex))) & 15;
}

export function columnsOfWords(n: number, edgesLow: number, edgesHigh: number): number[] {
  const columns = [0];
  for (let y = 1; y < n; y++) columns.push(columnOf(edgesLow, edgesHigh, y));
  return columns;
}

export function opsOfWords(labelsLow: number, labelsHigh: number): number[] {
  const ops: number[] = [];
  for (let vertex = 1; vertex < verticesOf(labelsHigh) - 1; vertex++) {
    ops.push(opOf(labelsLow, labelsHigh, vertex));
  }
  return ops;
}

export function cellOfWords(
  edgesLow: number,
  edgesHigh: number,
  labelsLow: number,
  labelsHigh: number,
): Cell {
  const columns = columnsOfWords(verticesOf(labelsHigh), edgesLow, edgesHigh);
  return cellOfColumns(columns, opsOfWords(labelsLow, labelsHigh));
}

export function wordsOf(
  cell: Cell,
): [edgesLow: number, edgesHigh: number, labelsLow: number, labelsHigh: number] {
  const [edgesLow, edgesHigh] = edgeWords(columnsOf(cell));
  return [edgesLow, edgesHigh, ...labelWords(cell.ops)];
}

export function edgeWords(columns: Columns): [low: number, high: number] {
  let low = 0;
  let high = 0;
  for (let y = 1; y < columns.length; y++) {
    const bit = firstBit(y);
    if (bit < 32) low |= columns[y] << bit;
    if (bit >= 32) high |= columns[y] << (bit - 32);
    else if (bit + y > 32) high |= columns[y] >>> (32 - bit);
  }
  return [low >>> 0, high >>> 0];
}

export function labelWords(ops: readonly number[]): [low: number, high: number] {
  let low = 0;
  let high = (ops.length + 2) << 28;
  ops.forEach((op, i) => {
    if (i === 0) high |= op;
    else low |= op << (4 * (8 - i));
  });
  return [low >>> 0, high >>> 0];
}

export function columnsOf(cell: Cell): number[] {
  const columns = new Array<number>(cell.n).fill(0);
  for (const [x, y] of cell.edges) columns[y] |= 1 << x;
  return columns;
}

export function cellOfColumns(columns: Columns, ops: readonly number[]): Cell {
  return { n: columns.length, edges: edgesOf(columns), ops };
}

export function edgesOf(columns: Columns): [number, number][] {
  const edges: [number, number][] = [];
  for (let y = 1; y < columns.length; y++) {
    for (let x = 0; x < y; x++) if ((columns[y] >> x) & 1) edges.push([x, y]);
  }
  return edges;
}

export function countEdges(columns: Columns): number {
  let count = 0;
  for (const column of columns) count += bitCount(column);
  return count;
}

/** Ones of a number below 2^31. */
export function bitCount(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Out-neighbours of each vertex as bit sets, from the in-neighbours. */
export function rowsOf(columns: Columns): number[] {
  const rows = new Array<number>(columns.length).fill(0);
  columns.forEach((column, y) => {
    for (let x = 0; x < columns.length; x++) if ((column >> x) & 1) rows[x] |= 1 << y;
  });
  return rows;
}
