/** The reference form of a cell: of all isomorphs the least edge mask, then the least labels. */

import { formOf, type Form } from './canon';
import { cellOfColumns, columnsOf, type Cell, type Columns } from './cell';

export interface Placed {
  readonly columns: Columns;
  readonly ops: number[];
  /** Which vertex of the given cell stands at each position. */
  readonly order: number[];
}

/** The reference form of a graph and its ops, and where each vertex went. */
export function place(columns: Columns, ops: readonly number[]): Placed {
  const form = formOf(columns);
  let least = relabelled(form, form.cosets[0], ops);
  for (let i = 1; i < form.cosets.length; i++) {
    const other = relabelled(form, form.cosets[i], ops);
    if (isLess(other.ops, least.ops)) least = other;
  }
  return { columns: form.columns, ...least };
}

export function least(cell: Cell): Cell {
  const { columns, ops } = place(columnsOf(cell), cell.ops);
  return cellOfColumns(columns, ops);
}

function relabelled(
  form: Form,
  coset: readonly number[],
  given: readonly number[],
): { ops: number[]; order: number[] } {
  const order = coset.map((vertex) => form.order[vertex]);
  const ops: number[] = [];
  for (let i = 1; i < order.length - 1; i++) ops.push(given[order[i] - 1]);
  for (const twins of form.twins) {
    // Insertion sort: classes are tiny.
    for (let i = 1; i < twins.length; i++) {
      for (let j = i; j > 0 && ops[twins[j] - 1] < ops[twins[j - 1] - 1]; j--) {
        swap(ops, twins[j] - 1, twins[j - 1] - 1);
        swap(order, twins[j], twins[j - 1]);
      }
    }
  }
  return { ops, order };
}

function swap(array: number[], i: number, j: number): void {
  const kept = array[i];
  array[i] = array[j];
  array[j] = kept;
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i];
  return false;
}
