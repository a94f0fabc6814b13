/** What the page and the engine's worker say to each other. */

import type { Cell, SpaceShape } from './cell';
import type { Edit } from './edits';
import type { CellColumns } from './finder';

/** A request by kind: what it takes and what is answered. */
export interface Requests {
  init: { takes: { columns: CellColumns; space: SpaceShape }; gives: null };
  /** A row, or a cell of the space in any form. */
  editsTo: { takes: { at: number | Cell }; gives: Edit[] };
  distances: { takes: { row: number }; gives: Uint8Array };
  /** 16 bytes for each row; of all rows where none are named. */
  hashes: { takes: { rows: Uint32Array | null }; gives: Uint8Array };
}

export type Kind = keyof Requests;

export type Request = {
  [K in Kind]: { id: number; kind: K } & Requests[K]['takes'];
}[Kind];

export type ToWorker = Request | { id: number; kind: 'cancel' };

export type FromWorker =
  | { id: number; kind: 'progress'; part: number }
  | { id: number; kind: 'done'; result: Requests[Kind]['gives'] }
  | { id: number; kind: 'failed'; why: string };

/** What messages go through: a worker, its own end within it, or a port of a channel. */
export interface Port {
  postMessage(message: ToWorker | FromWorker, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}
