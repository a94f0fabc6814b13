/** How two cells lie upon each other best, and what differs then: for drawings side by side. */

import { bitCount, columnsOf, edgesOf, rowsOf, type Cell } from './cell';

export interface Differences {
  /** Edges and ops that differ, as `nb101.alignment_distance` counts them. */
  distance: number;
  /** The vertex of b that each vertex of a is, -1 for none. */
  matching: number[];
  edgesOnlyA: [number, number][];
  edgesOnlyB: [number, number][];
  /** Vertices of a and b that match, with another op each. */
  opsChanged: [a: number, b: number][];
  /** Vertices of one cell alone. */
  onlyA: number[];
  onlyB: number[];
}

/** The least edges and ops that differ, and of such ways the one with the fewest ops changed: every
 * interior vertex of the smaller cell is one of the larger. */
export function differences(a: Cell, b: Cell): Differences {
  const turned = a.n > b.n;
  const [small, large] = turned ? [b, a] : [a, b];
  const { place, distance } = new Alignment(small, large).best();
  const back = new Array<number>(large.n).fill(-1);
  place.forEach((vertex, own) => (back[vertex] = own));
  const [matching, other] = turned ? [back, place] : [place, back];
  const missing = (cell: Cell, to: readonly number[], in_: Cell): [number, number][] => {
    const columns = columnsOf(in_);
    return edgesOf(columnsOf(cell)).filter(
      ([x, y]) => to[x] < 0 || to[y] < 0 || !((columns[to[y]] >> to[x]) & 1),
    );
  };
  const opsChanged: [number, number][] = [];
  for (let vertex = 1; vertex < a.n - 1; vertex++) {
    const to = matching[vertex];
    if (to >= 0 && a.ops[vertex - 1] !== b.ops[to - 1]) opsChanged.push([vertex, to]);
  }
  return {
    distance,
    matching,
    edgesOnlyA: missing(a, matching, b),
    edgesOnlyB: missing(b, other, a),
    opsChanged,
    onlyA: matching.flatMap((to, vertex) => (to < 0 ? [vertex] : [])),
    onlyB: other.flatMap((to, vertex) => (to < 0 ? [vertex] : [])),
  };
}

/** All ways to place the interior of one cell within a larger one, but those that cannot be best. */
class Alignment {
  private readonly columns: number[];
  private readonly rows: number[];
  private readonly largeColumns: number[];
  private readonly largeRows: number[];
  private readonly place: number[];
  private readonly back: number[];
  private least = Infinity;
  private bestPlace: number[] = [];

  constructor(
    private readonly small: Cell,
    private readonly large: Cell,
  ) {
    this.columns = columnsOf(small);
    this.rows = rowsOf(this.columns);
    this.largeColumns = columnsOf(large);
    this.largeRows = rowsOf(this.largeColumns);
    this.place = new Array<number>(small.n).fill(-1);
    this.back = new Array<number>(large.n).fill(-1);
    this.put(0, 0);
    this.put(small.n - 1, large.n - 1);
  }

  best(): { place: number[]; distance: number } {
    const ends = this.differing(0) + this.differing(this.small.n - 1) - this.counted();
    this.assign(1, ends, 0);
    return { place: this.bestPlace, distance: Math.floor(this.least / 16) };
  }

  /** The edge from input to output is counted at either end. */
  private counted(): number {
    const last = this.small.n - 1;
    return ((this.rows[0] >> last) & 1) !== ((this.largeRows[0] >> (this.large.n - 1)) & 1) ? 1 : 0;
  }

  /** `cost` is what differs among the vertices placed; ties are broken by 16ths, an op each. */
  private assign(vertex: number, cost: number, ops: number): void {
    if (16 * cost + ops >= this.least) return;
    if (vertex >= this.small.n - 1) {
      const total = 16 * (cost + this.unmatched()) + ops;
      if (total >= this.least) return;
      this.least = total;
      this.bestPlace = [...this.place];
      return;
    }
    for (let to = 1; to < this.large.n - 1; to++) {
      if (this.back[to] >= 0) continue;
      this.put(vertex, to);
      const op = this.small.ops[vertex - 1] === this.large.ops[to - 1] ? 0 : 1;
      this.assign(vertex + 1, cost + this.differing(vertex) + op, ops + op);
      this.place[vertex] = this.back[to] = -1;
    }
  }

  private put(vertex: number, to: number): void {
    this.place[vertex] = to;
    this.back[to] = vertex;
  }

  /** Edges between a vertex and those placed that only one of the cells has. */
  private differing(vertex: number): number {
    const to = this.place[vertex];
    let count = 0;
    this.place.forEach((otherTo, other) => {
      if (otherTo < 0 || other === vertex) return;
      const into = (this.columns[vertex] >> other) & 1;
      const out = (this.rows[vertex] >> other) & 1;
      if (into !== ((this.largeColumns[to] >> otherTo) & 1)) count++;
      if (out !== ((this.largeRows[to] >> otherTo) & 1)) count++;
    });
    return count;
  }

  /** Edges of the larger cell at vertices that are none of the smaller. */
  private unmatched(): number {
    let free = 0;
    this.back.forEach((own, to) => (free |= own < 0 ? 1 << to : 0));
    return this.largeColumns.reduce(
      (sum, column, y) => sum + bitCount((free >> y) & 1 ? column : column & free),
      0,
    );
  }
}
