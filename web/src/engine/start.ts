/**
 * Starts the engine: in a worker that is bundled into the page; or, where none may be made (a
 * notebook's frame may forbid it), in the page's own thread, between its other work.
 */

import { EngineWorker, type WorkerPort } from './client';
import { serve } from './serve';
import Thread from './worker?worker&inline';

export function startEngine(): EngineWorker {
  let thread: WorkerPort;
  try {
    thread = new Thread();
  } catch {
    return new EngineWorker(inPage());
  }
  return new EngineWorker(thread, inPage);
}

/** A port to the engine in this very thread. */
export function inPage(): WorkerPort {
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  return port1;
}
