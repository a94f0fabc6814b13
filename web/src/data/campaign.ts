/** The file of a campaign: how far it is, and its runs as they finished. */

export interface CampaignRun {
  /** Of the table that is shown; -1 where it does not have the cell. */
  readonly row: number;
  readonly epochs: number;
  readonly repeat: number;
  /** NaN where there is none. */
  readonly validation: number;
  readonly test: number;
  readonly seconds: number;
}

export interface CampaignNow {
  readonly total: number;
  readonly counts: ReadonlyMap<string, number>;
  /** In the order in which they finished. */
  readonly runs: readonly CampaignRun[];
  readonly done: boolean;
}

const COLUMNS = [
  'row',
  'epochs',
  'repeat',
  'validation_accuracy',
  'test_accuracy',
  'training_time',
];

/** Read what a server or a folder says of a campaign; nonsense is an error. */
export function readCampaign(text: string): CampaignNow {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    throw new Error('what is said of the campaign is cut short');
  }
  const state = (said ?? {}) as Record<string, unknown>;
  const { total, counts, columns, runs, done } = state;
  if (
    typeof total !== 'number' ||
    typeof counts !== 'object' ||
    counts === null ||
    !Array.isArray(columns) ||
    !Array.isArray(runs) ||
    !COLUMNS.every((name) => columns.includes(name))
  ) {
    throw new Error('what is said of the campaign is not what this page reads');
  }
  const [row, epochs, repeat, validation, test, seconds] = COLUMNS.map((name) =>
    columns.indexOf(name),
  );
  const number = (value: unknown) => (typeof value === 'number' ? value : NaN);
  return {
    total,
    counts: new Map(
      Object.entries(counts as Record<string, unknown>).map(([name, value]) => [
        name,
        number(value),
      ]),
    ),
    runs: (runs as unknown[][]).map((run) => ({
      row: Number.isInteger(run[row]) ? (run[row] as number) : -1,
      epochs: number(run[epochs]),
      repeat: number(run[repeat]),
      validation: number(run[validation]),
      test: number(run[test]),
      seconds: number(run[seconds]),
    })),
    done: done === true,
  };
}

/** Rows of cells that have finished runs, the latest first, each once. */
export function finishedRows(
  runs: readonly CampaignRun[],
  count: number,
): Uint32Array<ArrayBuffer> {
  const rows = new Set<number>();
  for (let at = runs.length - 1; at >= 0; at--) {
    const { row } = runs[at];
    if (row >= 0 && row < count) rows.add(row);
  }
  return Uint32Array.from(rows);
}

/** The highest validation accuracy so far, at the runs that raised it. */
export function records(runs: readonly CampaignRun[]): { order: number; value: number }[] {
  let best = -Infinity;
  return runs.flatMap(({ validation }, order) => {
    if (!(validation > best)) return [];
    best = validation;
    return [{ order, value: validation }];
  });
}

/** The budgets of runs, ascending. */
export function budgetsOf(runs: readonly CampaignRun[]): number[] {
  return [...new Set(runs.map((run) => run.epochs))].sort((a, b) => a - b);
}
