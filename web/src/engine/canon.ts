/**
 * The least isomorph of a graph, and the relabellings that keep it: as `space/canon.rs` of the core.
 *
 * Both matrices of an isomorphism are upper triangular, so a relabelling is a topological order.
 * Vertices are placed from the last position down; the most significant bits of the mask are the
 * in-edges of output, which are known first. Twins (equal in- and out-neighbours) are only placed in
 * their own order: that they may be swapped is kept beside the orders.
 *
 * What was found is remembered by edge mask. NAS-Bench-101 has 6,472 full DAGs, so that soon all
 * of them are a table, and the least form of a labelled cell is a look-up.
 */

import { edgeWords, firstBit, rowsOf, type Columns } from './cell';

export interface Form {
  /** The least of all isomorphs, by edge mask. */
  readonly columns: Columns;
  /** Which vertex of the given graph stands at each position of the least. */
  readonly order: readonly number[];
  /** Automorphisms of the least that keep twins in order, the identity first: position i takes the
   * label of vertex `coset[i]`. */
  readonly cosets: readonly (readonly number[])[];
  /** Classes of two or more twins of the least, ascending. */
  readonly twins: readonly (readonly number[])[];
}

/** Graphs that are remembered, some 500 bytes each: then all are forgotten. */
const MOST_KNOWN = 1 << 18;
const known = new Map<number | string, Form>();

/** 2^firstBit(y), exact for all vertices of a cell. */
const PLACE = Array.from({ length: 12 }, (_, y) => 2 ** firstBit(y));

/** A number for each graph of up to 10 vertices; of 11, whose 55 bits no number holds, a text. */
export function keyOf(columns: Columns): number | string {
  const n = columns.length;
  if (n > 10) return edgeWords(columns).join();
  let mask = 0;
  for (let y = 1; y < n; y++) mask += columns[y] * PLACE[y];
  return mask * 16 + n;
}

/** The least form of a graph of which every vertex is on a path from the first to the last. */
export function formOf(columns: Columns): Form {
  const key = keyOf(columns);
  let form = known.get(key);
  if (form === undefined) {
    if (known.size >= MOST_KNOWN) known.clear();
    form = new Search(columns).run();
    known.set(key, form);
  }
  return form;
}

class Search {
  private readonly n: number;
  private readonly out: number[];
  /** The vertices with the same neighbours, itself included. */
  private readonly twins: number[];
  private readonly position: number[];
  private readonly order: number[];
  private readonly columns: number[];
  private best: number[] | null = null;
  /** Every order that gives the best. */
  private orders: number[][] = [];

  constructor(columns: Columns) {
    const n = (this.n = columns.length);
    this.out = rowsOf(columns);
    this.twins = new Array<number>(n).fill(0);
    for (let u = 1; u < n - 1; u++) {
      for (let w = 1; w < n - 1; w++) {
        if (columns[u] === columns[w] && this.out[u] === this.out[w]) this.twins[u] |= 1 << w;
      }
    }
    this.position = new Array<number>(n).fill(0);
    this.order = new Array<number>(n).fill(0);
    this.columns = new Array<number>(n).fill(0);
    this.position[n - 1] = this.order[n - 1] = n - 1;
  }

  run(): Form {
    this.place(this.n - 2, 1 << (this.n - 1));
    const [order] = this.orders;
    const place = new Array<number>(this.n);
    order.forEach((vertex, position) => (place[vertex] = position));
    const twins: number[][] = [];
    for (const vertex of order) {
      const set = this.twins[vertex];
      if ((set & -set) !== 1 << vertex || set === 1 << vertex) continue;
      twins.push(order.filter((other) => (set >> other) & 1).map((other) => place[other]));
    }
    return {
      columns: this.best!,
      order,
      cosets: this.orders.map((other) => other.map((vertex) => place[vertex])),
      twins,
    };
  }

  /** Fills position p and those below it. */
  private place(p: number, placed: number): void {
    if (p === 0) {
      this.link(0, 0);
      this.compare();
      this.unlink(0, 0);
      return;
    }
    const last = this.n - 1;
    // From high to low: the given order comes first.
    for (let u = last - 1; u >= 1; u--) {
      const laterTwins = this.twins[u] & (-1 << (u + 1));
      if ((placed >> u) & 1 || ((this.out[u] | laterTwins) & ~placed) !== 0) continue;
      this.link(p, u);
      // Known so far: the in-edges of output from position p up.
      if (this.best === null || this.columns[last] >> p <= this.best[last] >> p) {
        this.order[p] = u;
        this.position[u] = p;
        this.place(p - 1, placed | (1 << u));
      }
      this.unlink(p, u);
    }
  }

  /** Adds the out-edges of u, which stands at position p. */
  private link(p: number, u: number): void {
    for (let rest = this.out[u]; rest !== 0; rest &= rest - 1) {
      this.columns[this.position[31 - Math.clz32(rest & -rest)]] |= 1 << p;
    }
  }

  private unlink(p: number, u: number): void {
    for (let rest = this.out[u]; rest !== 0; rest &= rest - 1) {
      this.columns[this.position[31 - Math.clz32(rest & -rest)]] &= ~(1 << p);
    }
  }

  private compare(): void {
    if (this.best !== null) {
      let y = this.n - 1;
      while (y > 0 && this.columns[y] === this.best[y]) y--;
      if (y === 0) {
        this.orders.push([...this.order]);
        return;
      }
      if (this.columns[y] > this.best[y]) return;
    }
    this.best = [...this.columns];
    this.orders = [[...this.order]];
  }
}
