/**
 * The worker's side: requests in steps, in turn, so that a short one does not wait for a long one, and
 * a message is heard between two steps. It works in the page's own thread as well.
 */

import { columnsOfWords, rowsOf, verticesOf, type Cell, type SpaceShape } from './cell';
import { Distances } from './distances';
import { editsToSteps, type Edit } from './edits';
import { Finder, type CellColumns } from './finder';
import { hashBytes } from './hash';
import { least } from './least';
import type { FromWorker, Port, Request, Requests, ToWorker } from './protocol';
import type { Steps } from './steps';

/** Milliseconds of work between two looks at messages. */
const SLICE = 12;

type Result = Requests[keyof Requests]['gives'];

/** Answers what comes in at a port. */
export function serve(port: Port): void {
  const jobs = new Map<number, Steps<Result>>();
  let table: Table | null = null;
  let working = false;

  const answer = (message: FromWorker): void => {
    const bytes = message.kind === 'done' && message.result instanceof Uint8Array;
    port.postMessage(message, bytes ? [(message.result as Uint8Array<ArrayBuffer>).buffer] : []);
  };

  const slice = (id: number, job: Steps<Result>): void => {
    const end = performance.now() + SLICE;
    try {
      for (;;) {
        const step = job.next();
        if (step.done === true) {
          jobs.delete(id);
          answer({ id, kind: 'done', result: step.value });
          return;
        }
        if (performance.now() >= end) {
          answer({ id, kind: 'progress', part: step.value });
          return;
        }
      }
    } catch (error) {
      jobs.delete(id);
      answer({ id, kind: 'failed', why: error instanceof Error ? error.message : String(error) });
    }
  };

  const work = async (): Promise<void> => {
    working = true;
    while (jobs.size > 0) {
      for (const [id, job] of jobs) {
        slice(id, job);
        await new Promise((heard) => setTimeout(heard));
      }
    }
    working = false;
  };

  port.onmessage = (event: MessageEvent) => {
    const message = event.data as ToWorker;
    if (message.kind === 'cancel') {
      jobs.delete(message.id);
      return;
    }
    const { id } = message;
    if (message.kind === 'init') {
      table = new Table(message.columns, message.space);
      answer({ id, kind: 'done', result: null });
      return;
    }
    if (table === null) {
      answer({ id, kind: 'failed', why: 'the engine has no table yet' });
      return;
    }
    jobs.set(id, table.answer(message));
    if (!working) void work();
  };
}

/** A table, and what requests about it share. */
class Table {
  private readonly finder: Finder;
  /** Whoever asks for distances first, and next, takes part in finding the neighbours. */
  private readonly building: Steps<Distances>;
  private built: Distances | null = null;

  constructor(columns: CellColumns, space: SpaceShape) {
    this.finder = new Finder(columns, space);
    this.building = Distances.steps(this.finder, space);
  }

  answer(request: Exclude<Request, { kind: 'init' }>): Steps<Result> {
    switch (request.kind) {
      case 'editsTo':
        return this.editsTo(request.at);
      case 'distances':
        return this.distances(request.row);
      case 'hashes':
        return this.hashes(request.rows);
    }
  }

  private *editsTo(at: number | Cell): Steps<Edit[]> {
    const { finder } = this;
    const cell = typeof at === 'number' ? finder.cell(at) : least(at);
    return yield* editsToSteps(cell, finder, finder.space);
  }

  private *distances(row: number): Steps<Uint8Array> {
    if (!Distances.possible(this.finder.space)) throw new RangeError(Distances.IMPOSSIBLE);
    while (this.built === null) {
      const step = this.building.next();
      if (step.done === true) this.built = step.value;
      else yield step.value;
    }
    return this.built.to(row);
  }

  private *hashes(rows: Uint32Array | null): Steps<Uint8Array> {
    const { finder } = this;
    const { edgesLow, edgesHigh, labelsHigh } = finder.columns;
    const count = rows?.length ?? finder.size;
    const bytes = new Uint8Array(16 * count);
    for (let i = 0; i < count; i++) {
      const row = finder.checked(rows?.[i] ?? i);
      const n = verticesOf(labelsHigh[row]);
      const columns = columnsOfWords(n, edgesLow[row], edgesHigh?.[row] ?? 0);
      hashBytes(columns, rowsOf(columns), finder.ops(row), bytes, 16 * i);
      if (i % 64 === 63) yield i / count;
    }
    return bytes;
  }
}
