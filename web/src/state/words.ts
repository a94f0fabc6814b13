/** What is left of a table, and why, in words. */
import { figure, shown } from '../draw/scales';
import type { Explorer } from './explorer';

const many = (count: number, one: string) =>
  count === 1 ? `a ${one}` : `${count.toLocaleString('en')} ${one}s`;

/** "a" and "b" and "c", as people list things. */
export function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;
}

/** A count of cells: "1 cell", "12,345 cells". */
export function cells(count: number): string {
  return count === 1 ? '1 cell' : `${count.toLocaleString('en')} cells`;
}

/** What has left out the others: "2 filters and a lasso"; empty where nothing has. */
export function leftBy(explorer: Explorer): string {
  void explorer.filtered.value;
  const parts: string[] = [];
  const filters = explorer.filters.names.length;
  if (filters > 0) parts.push(many(filters, 'filter'));
  if (explorer.chosen.value !== null) parts.push('a choice of cells');
  else if (explorer.region.value !== null) parts.push(`a ${explorer.region.value.shape}`);
  return listed(parts);
}

/** "12,345 cells left by 2 filters and a lasso", or "all 423,624 cells". */
export function leftInWords(explorer: Explorer): string {
  const count = explorer.rowsLeft.value.length;
  const by = leftBy(explorer);
  return by === '' ? `all ${cells(count)}` : `${cells(count)} left by ${by}`;
}

/** Each filter and the selection: "depth at least 3". */
export function filtersInWords(explorer: Explorer): string[] {
  void explorer.filtered.value;
  const words: string[] = [];
  for (const name of explorer.filters.names) {
    const range = explorer.filters.range(name);
    const values = explorer.values(name).value;
    if (range === null || values === null) continue;
    const { column, low, high } = values;
    const title = `${column.title}${column.kind === 'predicted' ? ' (predicted)' : ''}`;
    if (range[0] === range[1]) words.push(`${title} ${shown(column, range[0])}`);
    else if (range[0] <= low) words.push(`${title} at most ${shown(column, range[1])}`);
    else if (range[1] >= high) words.push(`${title} at least ${shown(column, range[0])}`);
    else words.push(`${title} ${figure(column, range[0])} to ${shown(column, range[1])}`);
  }
  if (explorer.chosen.value !== null) words.push('cells that were chosen');
  else if (explorer.region.value !== null) {
    const { shape, x, y } = explorer.region.value;
    words.push(`in a ${shape} over ${explorer.column(y).title} and ${explorer.column(x).title}`);
  }
  return words;
}
