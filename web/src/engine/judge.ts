/** Which cell a drawing is, what of it was pruned, or why it is none. */

import { cellOfColumns, countEdges, rowsOf, type Cell, type SpaceShape } from './cell';
import { induced, inOrder, pruned } from './graph';
import { place } from './least';

/** A module as drawn: any graph without cycles, whose vertices may be on no path. */
export interface Raw {
  /** `matrix[x][y]`: an edge from x to y. Vertex 0 is input, the last one output. */
  readonly matrix: readonly ArrayLike<boolean | number>[];
  /** Of the vertices between: indices into the ops of the space. */
  readonly ops: readonly number[];
}

export type Verdict =
  | {
      ok: true;
      /** Pruned, in the reference form. */
      cell: Cell;
      /** Vertices of the drawing that are on no path from input to output. */
      pruned: number[];
      /** The vertex of the cell that each vertex of the drawing is, -1 where pruned. */
      relabelling: number[];
    }
  | {
      ok: false;
      /** One sentence for people. */
      why: string;
    };

/** Vertices of a drawing: sets of them are bits of a number. */
export const MOST_DRAWN = 30;

export function judge(raw: Raw, space: SpaceShape): Verdict {
  const wrong = fault(raw, space);
  if (wrong !== null) return { ok: false, why: wrong };
  const n = raw.matrix.length;
  const columns = columnsOfMatrix(raw);
  const all = columns.map((_, vertex) => vertex);
  if (inOrder(columns, all) === null) return { ok: false, why: cycle(columns) };
  const kept = pruned(columns, rowsOf(columns));
  if (kept === null) return { ok: false, why: 'No path leads from input to output.' };
  const vertices = kept.order.length;
  if (vertices > space.max_vertices) {
    return { ok: false, why: tooMany(vertices, 'vertices', space.max_vertices, vertices < n) };
  }
  const edges = countEdges(kept.columns);
  if (edges > space.max_edges) {
    return { ok: false, why: tooMany(edges, 'edges', space.max_edges, vertices < n) };
  }
  const given = kept.order.slice(1, -1).map((vertex) => raw.ops[vertex - 1]);
  const { columns: least, ops, order } = place(kept.columns, given);
  const relabelling = new Array<number>(n).fill(-1);
  order.forEach((vertex, position) => (relabelling[kept.order[vertex]] = position));
  return {
    ok: true,
    cell: cellOfColumns(least, ops),
    pruned: all.filter((vertex) => relabelling[vertex] < 0),
    relabelling,
  };
}

function columnsOfMatrix(raw: Raw): number[] {
  const n = raw.matrix.length;
  const columns = new Array<number>(n).fill(0);
  for (let x = 0; x < n; x++) {
    for (let y = 0; y < n; y++) if (raw.matrix[x][y]) columns[y] |= 1 << x;
  }
  return columns;
}

/** What is wrong with a drawing before anything is made of it. */
function fault(raw: Raw, space: SpaceShape): string | null {
  const n = raw.matrix.length;
  if (n < 2) return 'A cell has an input and an output at least.';
  if (n > MOST_DRAWN) return `A drawing has ${MOST_DRAWN} vertices at most, and this one ${n}.`;
  if (raw.matrix.some((row) => row.length !== n)) return 'The matrix is not square.';
  if (raw.ops.length !== n - 2) {
    return `${n - 2} vertices between input and output need as many ops, and ${raw.ops.length} are given.`;
  }
  const vertex = raw.ops.findIndex(
    (op) => !Number.isInteger(op) || op < 0 || op >= space.ops.length,
  );
  if (vertex >= 0) return `The op of vertex ${vertex + 1} is none of this space.`;
  for (let x = 0; x < n; x++) {
    if (raw.matrix[x][x]) return `An edge leads from vertex ${x} to itself.`;
    if (raw.matrix[x][0]) return `An edge leads from vertex ${x} into input.`;
    if (raw.matrix[n - 1][x]) return `An edge leads out of output to vertex ${x}.`;
  }
  return null;
}

/** The sentence about a graph that has a cycle: the one found first, spelled out. */
function cycle(columns: readonly number[]): string {
  let left = columns.map((_, vertex) => vertex);
  // What has no edge from the rest is on no cycle.
  for (;;) {
    const set = left.reduce((bits, vertex) => bits | (1 << vertex), 0);
    const next = left.filter((vertex) => (columns[vertex] & set) !== 0);
    if (next.length === left.length) break;
    left = next;
  }
  const rest = induced(columns, left);
  const way = [0];
  for (;;) {
    const before = 31 - Math.clz32(rest[way[0]]);
    const end = way.indexOf(before);
    way.unshift(before);
    if (end >= 0) {
      const names = way.slice(0, end + 2).map((i) => left[i]);
      return `Edges make a cycle: ${names.join(' → ')}.`;
    }
  }
}

function tooMany(count: number, of: string, most: number, afterPruning: boolean): string {
  const when = afterPruning ? ' after pruning' : '';
  return `${count} ${of}${when}, and a cell of this space has ${most} at most.`;
}
