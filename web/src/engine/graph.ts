/** Graphs as they are drawn or edited: pruning, and the order in which all edges lead upwards. */

import type { Columns } from './cell';

/** The vertices on paths from the first to the last, ascending; none where there is no such path. */
export function onPaths(columns: Columns, rows: readonly number[]): number[] {
  const last = columns.length - 1;
  const both = reach(rows, 0) & reach(columns, last);
  if (!((both >> last) & 1)) return [];
  return columns.map((_, vertex) => vertex).filter((vertex) => (both >> vertex) & 1);
}

/** All vertices that a vertex leads to, itself included. */
function reach(rows: readonly number[], from: number): number {
  let found = 1 << from;
  for (let edge = found; edge !== 0;) {
    const vertex = 31 - Math.clz32(edge);
    edge &= ~(1 << vertex);
    const more = rows[vertex] & ~found;
    found |= more;
    edge |= more;
  }
  return found;
}

/** The given vertices so that all edges between them lead upwards, those that came first first; null
 * for a cycle. */
export function inOrder(columns: Columns, vertices: readonly number[]): number[] | null {
  let waiting = 0;
  for (const vertex of vertices) waiting |= 1 << vertex;
  const order: number[] = [];
  while (order.length < vertices.length) {
    const next = vertices.find((v) => (waiting >> v) & 1 && (columns[v] & waiting) === 0);
    if (next === undefined) return null;
    waiting &= ~(1 << next);
    order.push(next);
  }
  return order;
}

/** The graph between some vertices, in this order. */
export function induced(columns: Columns, order: readonly number[]): number[] {
  return order.map((y) =>
    order.reduce((column, x, i) => column | (((columns[y] >> x) & 1) << i), 0),
  );
}

/** What is left of a graph without cycles, upwards; null where input does not reach output. */
export function pruned(
  columns: Columns,
  rows: readonly number[],
): { columns: number[]; order: number[] } | null {
  const order = inOrder(columns, onPaths(columns, rows));
  if (order === null || order.length === 0) return null;
  return { columns: induced(columns, order), order };
}
