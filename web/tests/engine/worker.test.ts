/** The worker's protocol, over a channel in one thread. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { editsTo, EngineWorker, hashOf, hashTexts } from '../../src/engine';
import type { WorkerPort } from '../../src/engine/client';
import { serve } from '../../src/engine/serve';
import { bytesOf, finderOf, golden } from './golden';

const [kept] = golden.spaces;
const { space } = kept;
const finder = finderOf(kept, space);

function channel(): WorkerPort {
  const { port1, port2 } = new MessageChannel();
  serve(port2);
  return port1;
}

describe('the worker', () => {
  let engine: EngineWorker;
  beforeEach(() => {
    engine = new EngineWorker(channel());
  });
  afterEach(() => engine.end());

  it('answers several requests at a time', async () => {
    void engine.init(finder.columns, space);
    const distances = Object.entries(kept.distances);
    const [hashes, edits, ofCell, ...found] = await Promise.all([
      engine.hashes(Uint32Array.of(3, 1)),
      engine.editsTo(1),
      engine.editsTo(finder.cell(1)),
      ...distances.map(([row]) => engine.distances(Number(row))),
    ]);
    expect(hashTexts(hashes)).toEqual([3, 1].map((row) => hashOf(finder.cell(row))));
    expect(edits).toEqual(editsTo(finder.cell(1), finder, space));
    expect(ofCell).toEqual(edits);
    expect(found).toEqual(distances.map(([, text]) => bytesOf(text)));
    expect((await engine.hashes(null)).length).toBe(16 * finder.size);
  });

  it('tells how far it is, and ends when told so', async () => {
    await engine.init(finder.columns, space);
    const rows = Uint32Array.from({ length: 200_000 }, (_, i) => i % finder.size);
    const abort = new AbortController();
    const parts: number[] = [];
    const progress = (part: number): void => {
      parts.push(part);
      if (parts.length === 3) abort.abort();
    };
    const hashes = engine.hashes(rows, { progress, signal: abort.signal });
    // A short request does not wait for a long one.
    const edits = await engine.editsTo(0);
    expect(edits.length).toBeGreaterThan(0);
    await expect(hashes).rejects.toThrow('abort');
    expect(parts).toEqual([...parts].sort((a, b) => a - b));
    expect(parts.length).toBe(3);
    await expect(engine.hashes(null, { signal: abort.signal })).rejects.toThrow('abort');
  });

  it('says what is wrong', async () => {
    await expect(engine.distances(0)).rejects.toThrow('no table');
    await engine.init(finder.columns, space);
    await expect(engine.distances(finder.size)).rejects.toThrow('no row');
    await expect(engine.editsTo(-1)).rejects.toThrow('no row');
    await expect(engine.hashes(Uint32Array.of(finder.size))).rejects.toThrow('no row');
  });

  it('takes another table', async () => {
    const [, other] = golden.spaces;
    const otherFinder = finderOf(other, other.space);
    await engine.init(finder.columns, space);
    const before = engine.distances(0);
    void engine.init(otherFinder.columns, other.space);
    const after = engine.distances(0);
    expect((await before).length).toBe(finder.size);
    expect((await after).length).toBe(otherFinder.size);
  });

  it('rejects what it is ended before', async () => {
    const hashes = engine.init(finder.columns, space);
    engine.end('enough');
    await expect(hashes).rejects.toThrow('enough');
  });
});

describe('a worker that cannot begin', () => {
  const broken = (): WorkerPort => ({ postMessage: () => undefined, onmessage: null });
  const fault = { message: 'refused' } as ErrorEvent;

  it('is replaced, and all requests are put again', async () => {
    const port = broken();
    const engine = new EngineWorker(port, channel);
    const ready = engine.init(finder.columns, space);
    const edits = engine.editsTo(1);
    port.onerror?.(fault);
    await ready;
    expect(await edits).toEqual(editsTo(finder.cell(1), finder, space));
    engine.end();
  });

  it('rejects where nothing else is', async () => {
    const port = broken();
    const engine = new EngineWorker(port);
    const ready = engine.init(finder.columns, space);
    port.onerror?.(fault);
    await expect(ready).rejects.toThrow('refused');
  });
});
