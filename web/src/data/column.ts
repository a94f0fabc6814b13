/** Columns that no file has: what the page works out, and what it writes numbers by. */
import type { Column } from '../contract';

/** A plain number of no unit, but for what is told of it. */
export function ownColumn(more: Partial<Column>): Column {
  return {
    name: '',
    title: '',
    short: '',
    metric: '',
    group: 'own',
    epochs: null,
    unit: '',
    factor: 1,
    integer: false,
    scale: 'linear',
    better: 0,
    kind: 'exact',
    error: null,
    repeats: null,
    encoding: { kind: 'numbers', file: '', type: 'f32' },
    ...more,
  };
}
