/** The page's side of the engine's worker: promises, progress, and an end on request. */

import type { Cell, SpaceShape } from './cell';
import type { Edit } from './edits';
import type { CellColumns } from './finder';
import type { FromWorker, Kind, Port, Request, Requests } from './protocol';
import type { Progress } from './steps';

export interface Options {
  /** Is told which part is done, from 0 to 1. */
  progress?: Progress;
  /** Ends the work when aborted; the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
}

/** A port that may end, and may fail to begin: a `Worker` is one. */
export interface WorkerPort extends Port {
  onerror?: ((event: ErrorEvent) => void) | null;
  terminate?: () => void;
  close?: () => void;
}

interface Waiting {
  request: Request;
  options: Options;
  resolve: (result: never) => void;
  reject: (reason: unknown) => void;
  forget: () => void;
}

export class EngineWorker {
  private readonly waiting = new Map<number, Waiting>();
  private next = 0;
  private answered = false;

  /** `otherwise` makes a port to ask where the first one fails before it has answered anything. */
  constructor(
    private port: WorkerPort,
    private readonly otherwise?: () => WorkerPort,
  ) {
    this.listen();
  }

  /** The table that all that follows is about. The columns are copied. */
  async init(columns: CellColumns, space: SpaceShape): Promise<void> {
    await this.ask('init', { columns, space });
  }

  /** `editsTo` of a row, or of a cell of the space. */
  editsTo(at: number | Cell, options?: Options): Promise<Edit[]> {
    return this.ask('editsTo', { at }, options);
  }

  /** Edit distances of all cells to the one of a row; the first time takes longer. */
  distances(row: number, options?: Options): Promise<Uint8Array> {
    return this.ask('distances', { row }, options);
  }

  /** Hashes of rows, or of all, 16 bytes each: `hashTexts` makes digits of them. */
  hashes(rows: Uint32Array | null, options?: Options): Promise<Uint8Array> {
    return this.ask('hashes', { rows }, options);
  }

  /** Ends the worker, and rejects what has not been answered. */
  end(why = 'the engine was ended'): void {
    if (this.port.terminate) this.port.terminate();
    else this.port.close?.();
    for (const { reject, forget } of this.waiting.values()) {
      forget();
      reject(new Error(why));
    }
    this.waiting.clear();
  }

  private ask<K extends Kind>(
    kind: K,
    takes: Requests[K]['takes'],
    options: Options = {},
  ): Promise<Requests[K]['gives']> {
    const id = this.next++;
    const request = { id, kind, ...takes } as unknown as Request;
    return new Promise<Requests[K]['gives']>((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const abort = (): void => {
        this.waiting.delete(id);
        this.port.postMessage({ id, kind: 'cancel' }, []);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', abort, { once: true });
      const forget = (): void => signal?.removeEventListener('abort', abort);
      this.waiting.set(id, { request, options, resolve, reject, forget });
      this.port.postMessage(request, []);
    });
  }

  private listen(): void {
    this.port.onmessage = (event: MessageEvent) => this.hear(event.data as FromWorker);
    this.port.onerror = (event: ErrorEvent) => {
      if (this.answered || !this.otherwise) {
        this.end(event.message || 'the engine ended unexpectedly');
        return;
      }
      this.port.terminate?.();
      this.port = this.otherwise();
      this.answered = true;
      this.listen();
      for (const { request } of this.waiting.values()) this.port.postMessage(request, []);
    };
  }

  private hear(message: FromWorker): void {
    this.answered = true;
    const waiting = this.waiting.get(message.id);
    if (waiting === undefined) return;
    if (message.kind === 'progress') {
      waiting.options.progress?.(message.part);
      return;
    }
    this.waiting.delete(message.id);
    waiting.forget();
    if (message.kind === 'done') waiting.resolve(message.result as never);
    else waiting.reject(new Error(message.why));
  }
}

/** The 32 digits of each hash. */
export function hashTexts(bytes: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    let text = '';
    for (let i = at; i < at + 16; i++) text += bytes[i].toString(16).padStart(2, '0');
    texts.push(text);
  }
  return texts;
}
