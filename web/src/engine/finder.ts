/** Cells of a table by row and rows by cell. */

import {
  cellOfWords,
  columnsOfWords,
  labelWords,
  edgeWords,
  opsOfWords,
  verticesOf,
  wordsOf,
  type Cell,
  type Columns,
  type SpaceShape,
} from './cell';
import { place } from './least';

/** The words of a table's cells, in the order of ids: vertices, then edges, then labels. */
export interface CellColumns {
  edgesLow: Uint32Array;
  edgesHigh: Uint32Array | null;
  labelsLow: Uint32Array;
  labelsHigh: Uint32Array;
}

/** Rows of one structure, which stand together. */
export interface Run {
  readonly columns: Columns;
  readonly begin: number;
  readonly end: number;
}

export class Finder {
  readonly size: number;
  private allRuns: Run[] | null = null;

  constructor(
    readonly columns: CellColumns,
    readonly space: SpaceShape,
  ) {
    this.size = columns.edgesLow.length;
  }

  /** A row that the table has.
   * @throws RangeError for any other number. */
  checked(row: number): number {
    if (Number.isInteger(row) && row >= 0 && row < this.size) return row;
    throw new RangeError(`there is no row ${row}`);
  }

  cell(row: number): Cell {
    this.checked(row);
    const { edgesLow, edgesHigh, labelsLow, labelsHigh } = this.columns;
    return cellOfWords(edgesLow[row], edgesHigh?.[row] ?? 0, labelsLow[row], labelsHigh[row]);
  }

  /** Codes of the interior ops of a row. */
  ops(row: number): number[] {
    return opsOfWords(this.columns.labelsLow[row], this.columns.labelsHigh[row]);
  }

  /** The row of a cell in the reference form; -1 if it is not in the table. */
  row(cell: Cell): number {
    return this.search(...wordsOf(cell));
  }

  /** The row of a cell in any form; -1 if it is not in the table. */
  find(columns: Columns, ops: readonly number[]): number {
    const placed = place(columns, ops);
    return this.search(...edgeWords(placed.columns), ...labelWords(placed.ops));
  }

  /** All structures of the table, each with its rows. */
  runs(): readonly Run[] {
    this.allRuns ??= this.findRuns();
    return this.allRuns;
  }

  private search(low: number, high: number, labelsLow: number, labelsHigh: number): number {
    const n = verticesOf(labelsHigh);
    const columns = this.columns;
    let begin = 0;
    let end = this.size;
    while (begin < end) {
      const row = (begin + end) >>> 1;
      const order =
        verticesOf(columns.labelsHigh[row]) - n ||
        (columns.edgesHigh?.[row] ?? 0) - high ||
        columns.edgesLow[row] - low ||
        columns.labelsHigh[row] - labelsHigh ||
        columns.labelsLow[row] - labelsLow;
      if (order === 0) return row;
      if (order < 0) begin = row + 1;
      else end = row;
    }
    return -1;
  }

  private findRuns(): Run[] {
    const { edgesLow, edgesHigh, labelsHigh } = this.columns;
    const runs: Run[] = [];
    for (let begin = 0; begin < this.size;) {
      const n = verticesOf(labelsHigh[begin]);
      let end = begin + 1;
      while (
        end < this.size &&
        edgesLow[end] === edgesLow[begin] &&
        (edgesHigh?.[end] ?? 0) === (edgesHigh?.[begin] ?? 0) &&
        verticesOf(labelsHigh[end]) === n
      ) {
        end++;
      }
      const columns = columnsOfWords(n, edgesLow[begin], edgesHigh?.[begin] ?? 0);
      runs.push({ columns, begin, end });
      begin = end;
    }
    return runs;
  }
}
