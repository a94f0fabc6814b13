/** Cells that are one edit away: the neighbours of `edit/neighbours.rs` of the core, with the edit. */

import { formOf, keyOf } from './canon';
import {
  bitCount,
  columnsOf,
  countEdges,
  opOf,
  rowsOf,
  type Cell,
  type Columns,
  type SpaceShape,
} from './cell';
import type { Finder, Run } from './finder';
import { pruned } from './graph';
import { shortOp } from './names';
import { run, type Progress, type Steps } from './steps';

interface Reached {
  /** In words for people: "edge 1→3 removed". */
  says: string;
  /** Vertices that fell away, on no path after the edit. */
  pruned: number;
  /** The other cell. */
  row: number;
  /** Whether the edit leads to the other cell, or from it to the one in hand; vertices are those of
   * the cell that is edited. */
  direction: 'from' | 'to';
}

export type Edit = Reached &
  (
    | { kind: 'edge-added' | 'edge-removed'; detail: { edge: readonly [number, number] } }
    | { kind: 'op-changed'; detail: { vertex: number; from: number; to: number } }
  );

/** One edge of a graph removed or added, pruned, in no particular form. */
export interface EdgeEdit {
  readonly added: boolean;
  readonly edge: readonly [number, number];
  readonly columns: Columns;
  /** Which vertex of the graph stands at each position. */
  readonly order: readonly number[];
}

/** Every edge removed where that leaves a cell, and, up to `most` edges, one added wherever that
 * makes no cycle. */
export function* edgeEdits(columns: Columns, most: number): Generator<EdgeEdit> {
  const last = columns.length - 1;
  const rows = rowsOf(columns);
  const full = countEdges(columns) >= most;
  for (let y = 0; y <= last; y++) {
    for (let x = 0; x <= last; x++) {
      const added = !((columns[y] >> x) & 1);
      if (x === y || (added && (full || y === 0 || x === last))) continue;
      const [into, out] = [[...columns], [...rows]];
      into[y] ^= 1 << x;
      out[x] ^= 1 << y;
      const edited = pruned(into, out);
      if (edited !== null) yield { added, edge: [x, y], ...edited };
    }
  }
}

/** An edit for each other cell of the table that one edit of a cell leads to, ops first. */
export function editsFrom(cell: Cell, finder: Finder, space: SpaceShape): Edit[] {
  const edits = new Map<number, Edit>();
  const columns = columnsOf(cell);
  const own = finder.find(columns, cell.ops);
  const add = (row: number, edit: Edit): void => {
    if (row >= 0 && row !== own && !edits.has(row)) edits.set(row, edit);
  };
  cell.ops.forEach((from, i) => {
    for (let to = 0; to < space.ops.length; to++) {
      if (to === from) continue;
      const row = finder.find(columns, cell.ops.with(i, to));
      const names = `${shortOp(space.ops[from])} → ${shortOp(space.ops[to])}`;
      add(row, {
        kind: 'op-changed',
        detail: { vertex: i + 1, from, to },
        says: `op of vertex ${i + 1}: ${names}`,
        pruned: 0,
        row,
        direction: 'from',
      });
    }
  });
  for (const { added, edge, columns: edited, order } of edgeEdits(columns, space.max_edges)) {
    const row = finder.find(edited, opsAt(cell.ops, order));
    const kind = added ? 'edge-added' : 'edge-removed';
    add(row, edgeEdit(kind, edge, cell.n - order.length, row, 'from'));
  }
  return [...edits.values()];
}

/** The ops of the interior of a graph whose vertices stand in another order. */
export function opsAt(ops: readonly number[], order: readonly number[]): number[] {
  const moved: number[] = [];
  for (let i = 1; i < order.length - 1; i++) moved.push(ops[order[i] - 1]);
  return moved;
}

function edgeEdit(
  kind: 'edge-added' | 'edge-removed',
  edge: readonly [number, number],
  pruned: number,
  row: number,
  direction: 'from' | 'to',
): Edit {
  const says = `edge ${edge[0]}→${edge[1]} ${kind === 'edge-added' ? 'added' : 'removed'}`;
  return { kind, detail: { edge }, says, pruned, row, direction };
}

/**
 * An edit for each cell of the table that has more vertices, and of which one edge removed leaves
 * this cell: no single edit of this one leads there. With `editsFrom` these are all its neighbours.
 */
export function editsTo(
  cell: Cell,
  finder: Finder,
  space: SpaceShape,
  progress?: Progress,
): Edit[] {
  return run(editsToSteps(cell, finder, space), progress);
}

/** The same in steps, each a few milliseconds; a step says which part is done. */
export function* editsToSteps(cell: Cell, finder: Finder, space: SpaceShape): Steps<Edit[]> {
  if (cell.n >= space.max_vertices) return [];
  const edits: Edit[] = [];
  const wanted = new Wanted(cell);
  let looked = 0;
  for (const run of finder.runs()) {
    if (run.columns.length <= cell.n) continue;
    wanted.collect(run, finder, edits);
    looked += 256 + run.end - run.begin;
    if (looked > 16384) {
      looked = 0;
      yield run.end / finder.size;
    }
  }
  return edits;
}

/** The cell that edges removed are to leave. */
class Wanted {
  private readonly edges: number;
  private readonly inner: number;
  private readonly key: number | string;
  /** Its ops, and all that automorphisms of its structure make of them, four bits each. */
  private readonly labels = new Set<number>();

  constructor(cell: Cell) {
    const columns = columnsOf(cell);
    this.edges = countEdges(columns);
    this.inner = cell.n - 2;
    const form = formOf(columns);
    this.key = keyOf(form.columns);
    const ops = opsAt(cell.ops, form.order);
    for (const coset of form.cosets) this.addTwins(opsAt(ops, coset), form.twins, 0, 0);
  }

  /** Adds all ways to swap the ops of twins. */
  private addTwins(
    ops: readonly number[],
    twins: readonly (readonly number[])[],
    which: number,
    from: number,
  ): void {
    if (which === twins.length) {
      this.labels.add(ops.reduce((packed, op) => packed * 16 + op, 0));
      return;
    }
    const members = twins[which];
    if (from === members.length) {
      this.addTwins(ops, twins, which + 1, 0);
      return;
    }
    const tried = new Set<number>();
    for (let i = from; i < members.length; i++) {
      const [a, b] = [members[from] - 1, members[i] - 1];
      if (tried.has(ops[b])) continue;
      tried.add(ops[b]);
      this.addTwins(ops.with(a, ops[b]).with(b, ops[a]), twins, which, from + 1);
    }
  }

  /** Adds an edit for each row of a structure of which this is left. */
  collect(run: Run, finder: Finder, edits: Edit[]): void {
    const { columns, begin, end } = run;
    const fewer = columns.length - this.inner - 2;
    // Each vertex that falls away takes an edge along, besides the one removed.
    if (countEdges(columns) <= this.edges + fewer) return;
    const found = new Uint8Array(end - begin);
    const { labelsLow, labelsHigh } = finder.columns;
    for (const { added, edge, columns: left, order } of edgeEdits(columns, 0)) {
      if (added || left.length !== this.inner + 2) continue;
      if (left.reduce((sum, column) => sum + bitCount(column), 0) !== this.edges) continue;
      const form = formOf(left);
      if (keyOf(form.columns) !== this.key) continue;
      const vertices = form.order.slice(1, -1).map((position) => order[position]);
      for (let row = begin; row < end; row++) {
        if (found[row - begin]) continue;
        let packed = 0;
        for (const vertex of vertices) {
          packed = packed * 16 + opOf(labelsLow[row], labelsHigh[row], vertex);
        }
        if (!this.labels.has(packed)) continue;
        found[row - begin] = 1;
        edits.push(edgeEdit('edge-removed', edge, fewer, row, 'to'));
      }
    }
  }
}
