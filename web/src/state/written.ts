/** How the numbers of searches and of campaigns are written: as those of columns. */
import type { Column, Kind, Manifest } from '../contract';
import { ownColumn } from '../data/column';
import { inUnit } from '../draw/duration';
import type { TimeUnit } from '../draw/duration';

/** What the numbers of the searches are: as the table's, if they were of the table that is shown. */
export function kindOfSearches(manifest: Manifest): Kind {
  return manifest.traces.some((set) => set.best === null) ? 'unknown' : manifest.table.kind;
}

export function regretColumn(manifest: Manifest): Column {
  const kind = kindOfSearches(manifest);
  return ownColumn({
    title: 'test regret',
    short: 'regret',
    unit: 'pp',
    factor: 100,
    scale: 'log',
    kind,
  });
}

export function accuracyColumn(title: string, kind: Kind): Column {
  return ownColumn({ title, short: title, unit: '%', factor: 100, better: 1, kind });
}

export function timeColumn(unit: TimeUnit): Column {
  return ownColumn({ title: `simulated time (${unit})`, factor: inUnit(1, unit) });
}

export const TRAINING_TIME: Column = ownColumn({
  title: 'training time',
  unit: 's',
  kind: 'measured',
});

export const COUNT: Column = ownColumn({ title: 'finished runs', integer: true });
