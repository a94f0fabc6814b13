/** How deep and wide a cell is, and what it is made of: as the engine has it. */

import { bitCount, columnsOf, countEdges, rowsOf, type Cell, type SpaceShape } from './cell';

export interface Shape {
  /** Edges on the longest path from input to output. */
  depth: number;
  /** Edges of the largest directed cut between input and output. */
  width: number;
  edges: number;
  vertices: number;
  /** How often each op of the space occurs. */
  opCounts: number[];
}

/** `space` says how many ops there are; without it, counts end with the last op that occurs. */
export function shape(cell: Cell, space?: SpaceShape): Shape {
  const columns = columnsOf(cell);
  const most = cell.ops.reduce((most, op) => Math.max(most, op + 1), space?.ops.length ?? 0);
  const opCounts = new Array<number>(most).fill(0);
  for (const op of cell.ops) opCounts[op]++;
  return {
    depth: depth(columns),
    width: width(columns),
    edges: countEdges(columns),
    vertices: cell.n,
    opCounts,
  };
}

function depth(columns: readonly number[]): number {
  const longest: number[] = [];
  columns.forEach((column, y) => {
    let most = 0;
    for (let x = 0; x < y; x++) if ((column >> x) & 1) most = Math.max(most, longest[x] + 1);
    longest.push(most);
  });
  return longest[columns.length - 1];
}

function width(columns: readonly number[]): number {
  const last = columns.length - 1;
  let widest = 0;
  for (let set = 1; set < 1 << last; set += 2) {
    let cut = 0;
    let closed = true;
    for (let y = 1; y <= last && closed; y++) {
      if ((set >> y) & 1) closed = (columns[y] & ~set) === 0;
      else cut += bitCount(columns[y] & set);
    }
    if (closed) widest = Math.max(widest, cut);
  }
  return widest;
}

/** All paths from input to output, each as its vertices, the first vertices first. */
export function pathsOf(cell: Cell): number[][] {
  const rows = rowsOf(columnsOf(cell));
  const paths: number[][] = [];
  const follow = (path: number[]): void => {
    const at = path[path.length - 1];
    if (at === cell.n - 1) paths.push(path);
    for (let y = at + 1; y < cell.n; y++) if ((rows[at] >> y) & 1) follow([...path, y]);
  };
  follow([0]);
  return paths;
}
