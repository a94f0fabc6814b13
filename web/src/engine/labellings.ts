/**
 * Rows by graph and labels, for work on the whole table: a table for each graph in any form, in which
 * the ops, as digits of a number, are the place of the row.
 *
 * NAS-Bench-101 has 6,472 graphs of up to 3^5 labellings: 6 MB when all are there, and no search
 * for a row.
 */

import { formOf, keyOf, type Form } from './canon';
import type { Columns } from './cell';
import type { Finder, Run } from './finder';

/** Labellings of one graph at most; with more ops there is no table. */
export const MOST_LABELLINGS = 1 << 10;

export class Labellings {
  readonly ops: number;
  private readonly runs = new Map<number | string, Run>();
  private readonly tables = new Map<number | string, Int32Array | null>();
  private readonly moves = new Map<string, Uint16Array | null>();

  constructor(private readonly finder: Finder) {
    this.ops = finder.space.ops.length;
    for (const run of finder.runs()) this.runs.set(keyOf(run.columns), run);
  }

  static fits(finder: Finder): boolean {
    const { ops, max_vertices } = finder.space;
    return ops.length ** (max_vertices - 2) <= MOST_LABELLINGS;
  }

  /** The ops of a row as digits, vertex 1 the most significant. */
  code(row: number): number {
    return this.finder.ops(row).reduce((code, op) => code * this.ops + op, 0);
  }

  /** The row of each labelling of a graph, -1 for none; null where it has none at all. */
  rows(columns: Columns): Int32Array | null {
    const key = keyOf(columns);
    let table = this.tables.get(key);
    if (table === undefined) {
      const form = formOf(columns);
      const run = this.runs.get(keyOf(form.columns));
      table = run === undefined ? null : this.tableOf(form, run);
      this.tables.set(key, table);
    }
    return table;
  }

  /** The code that each one becomes when the vertices stand in another order, some left out; null
   * where all stay. */
  move(n: number, order: readonly number[]): Uint16Array | null {
    const key = `${n}:${order.join()}`;
    let move = this.moves.get(key);
    if (move === undefined) {
      const stays = order.length === n && order.every((vertex, i) => vertex === i);
      move = stays ? null : this.moveOf(n, order);
      this.moves.set(key, move);
    }
    return move;
  }

  private moveOf(n: number, order: readonly number[]): Uint16Array {
    const move = new Uint16Array(this.ops ** (n - 2));
    const weights = order.slice(1, -1).map((vertex) => this.ops ** (n - 2 - vertex));
    for (let code = 0; code < move.length; code++) {
      let moved = 0;
      for (const weight of weights)
        moved = moved * this.ops + (Math.floor(code / weight) % this.ops);
      move[code] = moved;
    }
    return move;
  }

  private tableOf(form: Form, run: Run): Int32Array {
    const n = form.columns.length;
    const least = new Int32Array(this.ops ** (n - 2)).fill(-1);
    for (let row = run.begin; row < run.end; row++) least[this.code(row)] = row;
    // Of the labellings that automorphisms make of each other, the least has been filled in.
    for (const coset of automorphisms(form)) {
      const move = this.move(n, coset);
      if (move === null) continue;
      for (let code = 0; code < least.length; code++) {
        if (least[code] < 0) least[code] = least[move[code]];
      }
    }
    const move = this.move(n, form.order);
    return move === null ? least : Int32Array.from(move, (code) => least[code]);
  }
}

/** All automorphisms of the least form of a graph. */
function automorphisms(form: Form): number[][] {
  let all = form.cosets.map((coset) => [...coset]);
  for (const twins of form.twins) {
    all = all.flatMap((coset) =>
      permutations(twins).map((swapped) => {
        const next = [...coset];
        swapped.forEach((from, i) => (next[twins[i]] = coset[from]));
        return next;
      }),
    );
  }
  return all;
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) =>
    permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]),
  );
}
