/** What Python sends: the manifest and the files that it names. `nb101/explore/` makes all of it. */

export type NumberType = 'u8' | 'u16' | 'u32' | 'i32' | 'f32' | 'f64';

/** One value a row, in the order of the table's cells, little-endian; gzip where it begins so. */
export type Encoding =
  | {
      kind: 'numbers';
      file: string;
      type: NumberType;
      /** All first bytes, then all second ones, and so on: it compresses better. */
      planes?: boolean;
    }
  | {
      kind: 'codes';
      codes: string;
      codeType: 'u8' | 'u16' | 'u32';
      planes?: boolean;
      /** `values[codes[row]]`; several columns may share their codes. */
      values: string;
      valueType: 'f32' | 'f64' | 'i32';
    };

export type Kind = 'predicted' | 'measured' | 'unknown';
export type Group = 'accuracy' | 'time' | 'error' | 'network' | 'shape' | 'ops' | 'own';

export interface Column {
  name: string;
  title: string;
  short: string;
  metric: string;
  group: Group;
  epochs: number | null;
  unit: '' | '%' | 's' | 'pp';
  /** Shown is stored times this: 100 for accuracies. */
  factor: number;
  integer: boolean;
  scale: 'linear' | 'log';
  better: 1 | -1 | 0;
  kind: Kind | 'exact';
  error: { spread?: string; uncertainty?: string } | null;
  repeats: number | null;
  encoding: Encoding;
}

export interface TraceRun {
  run: number;
  seed: number | string;
  queries: number;
  file: string;
}

export interface TraceSet {
  algorithm: string;
  title: string;
  folder: string;
  metric: string;
  epochs: number | null;
  /** What regret is against; null where the searches were of another table than is shown. */
  best: number | null;
  runs: TraceRun[];
}

export interface Manifest {
  format: 'nb101-explorer';
  version: 1;
  made: string;
  title: string;
  table: { name: string; kind: Kind; says: string; command: string; python: string };
  space: {
    max_vertices: number;
    max_edges: number;
    ops: string[];
    size: number;
    whole: boolean;
    hash: boolean;
  };
  cells: {
    count: number;
    ids: Encoding | null;
    edges_low: Encoding;
    edges_high: Encoding | null;
    labels_low: Encoding;
    labels_high: Encoding;
  };
  epochs: number[];
  columns: Column[];
  start: { x: string; y: string; colour: string };
  paper: { name: string; title: string; row: number }[];
  traces: TraceSet[];
  campaign: { title: string; file: string; live: boolean } | null;
  /** A server answers, so that distances can be asked for. */
  live: boolean;
}

export interface CampaignState {
  total: number;
  counts: Record<string, number>;
  columns: string[];
  runs: number[][];
  done: boolean;
}

/** Row of a cell that is not in the table, in a file of a trace. */
export const NO_ROW = 0xffffffff;
