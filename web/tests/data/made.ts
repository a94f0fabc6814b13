/** Files of traces, and an explorer about nothing but them. */
import { signal } from '@preact/signals';
import type { CampaignState, TraceSet } from '../../src/contract';
import type { Explorer, Panel } from '../../src/state/explorer';

export function bytesOf(
  seconds: number[],
  accuracy: number[],
  regret: number[],
  rows: number[],
): ArrayBuffer {
  const bytes = new Uint8Array(seconds.length * 20);
  bytes.set(new Uint8Array(Float64Array.from(seconds).buffer), 0);
  bytes.set(new Uint8Array(Float32Array.from(accuracy).buffer), seconds.length * 8);
  bytes.set(new Uint8Array(Float32Array.from(regret).buffer), seconds.length * 12);
  bytes.set(new Uint8Array(Uint32Array.from(rows).buffer), seconds.length * 16);
  return bytes.buffer;
}

export function setOf(algorithm: string, runs: number, folder = 'comparison'): TraceSet {
  return {
    algorithm,
    title: algorithm.toUpperCase(),
    folder,
    metric: 'test_accuracy',
    epochs: 108,
    best: 0.95,
    runs: Array.from({ length: runs }, (_, run) => ({
      run,
      seed: 0,
      queries: 3,
      file: `${folder}/${algorithm}-${run}.bin`,
    })),
  };
}

/** What the replay and the campaign need of an explorer. */
export function explorerOf(
  traces: TraceSet[],
  read: (file: string) => ArrayBuffer,
  campaign: { title: string; file: string; live: boolean } | null = null,
) {
  const stops: (() => void)[] = [];
  const made = {
    manifest: { traces, campaign },
    source: {
      bytes: (file: string) =>
        new Promise<ArrayBuffer>((resolve) => {
          resolve(read(file));
        }),
    },
    panel: signal<Panel>('cell'),
    notice: signal<string | null>(null),
    highlighted: signal(new Uint32Array(0)),
    count: 100,
    onDestroy: (stop: () => void) => stops.push(stop),
  };
  return { made, explorer: made as unknown as Explorer, stops };
}

export function fileOf(state: CampaignState): ArrayBuffer {
  return new TextEncoder().encode(JSON.stringify(state)).buffer;
}
