/** What a table has of a cell, by metric and budget. */
import type { Column } from '../contract';
import type { Explorer } from './explorer';

export interface MetricLine {
  readonly metric: string;
  readonly short: string;
  /** The column at each budget that the table has it at. */
  readonly at: ReadonlyMap<number, Column>;
}

/** Metrics of runs, in the table's order. */
export function metricLines(explorer: Explorer): MetricLine[] {
  const lines = new Map<string, { short: string; at: Map<number, Column> }>();
  for (const column of explorer.manifest.columns) {
    if (column.epochs === null || (column.group !== 'accuracy' && column.group !== 'time'))
      continue;
    let line = lines.get(column.metric);
    if (line === undefined) {
      line = { short: column.short, at: new Map() };
      lines.set(column.metric, line);
    }
    line.at.set(column.epochs, column);
  }
  return [...lines].map(([metric, line]) => ({ metric, ...line }));
}

/** Columns that are of the cell itself, or one's own. */
export function plainColumns(explorer: Explorer): Column[] {
  return explorer.manifest.columns.filter((column) => column.epochs === null);
}

/** How many cells are better by a column, and as good; null where the cell has no number. */
export function rankOf(
  data: ArrayLike<number>,
  better: 1 | -1,
  row: number,
): { rank: number; of: number } | null {
  const own = better * data[row];
  if (Number.isNaN(own)) return null;
  let above = 0;
  let of = 0;
  for (let other = 0; other < data.length; other++) {
    const value = better * data[other];
    if (Number.isNaN(value)) continue;
    of++;
    if (value > own) above++;
  }
  return { rank: above + 1, of };
}
