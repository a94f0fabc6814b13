/** What the engine says of cells: the kept answers, and those of the whole space where Python is. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { cellOfWords, Finder, type Cell, type SpaceShape } from '../../src/engine';

interface Words {
  edges_low: string;
  edges_high: string | null;
  labels_low: string;
  labels_high: string;
}

interface Facts extends Words {
  space: SpaceShape;
  hashes: string[];
  depth: number[];
  width: number[];
}

export interface Golden {
  spaces: (Words & {
    space: SpaceShape;
    neighbours: Record<string, number[]>;
    distances: Record<string, string>;
  })[];
  sample: Facts & { rows: number[]; aligned: Record<string, number[]> };
  large: (Facts & { aligned: number[] })[];
  modules: { matrix: string[]; ops: number[]; is: [number, number, number, number] | string }[];
}

const FOLDER = resolve(import.meta.dirname, '../golden');
const TREE = resolve(import.meta.dirname, '../../..');

export const golden = JSON.parse(readFileSync(join(FOLDER, 'engine.json'), 'utf8')) as Golden;

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function numbersOf(text: string): Uint32Array {
  return new Uint32Array(bytesOf(text).buffer);
}

export function finderOf(words: Words, space: SpaceShape): Finder {
  const columns = {
    edgesLow: numbersOf(words.edges_low),
    edgesHigh: words.edges_high === null ? null : numbersOf(words.edges_high),
    labelsLow: numbersOf(words.labels_low),
    labelsHigh: numbersOf(words.labels_high),
  };
  return new Finder(columns, space);
}

export function cellsOf(words: Words): Cell[] {
  const [low, labelsLow, labelsHigh] = [words.edges_low, words.labels_low, words.labels_high].map(
    numbersOf,
  );
  const high = words.edges_high === null ? null : numbersOf(words.edges_high);
  return Array.from(low, (edges, i) =>
    cellOfWords(edges, high?.[i] ?? 0, labelsLow[i], labelsHigh[i]),
  );
}

/** NAS-Bench-101's own space. */
export const SPACE = golden.sample.space;

export interface Whole {
  finder: Finder;
  /** 16 bytes a cell. */
  digests: Uint8Array;
  /** Neighbours of each cell, and the sum of their rows. */
  degrees: Uint32Array;
  sums: Float64Array;
  distances: Map<number, Uint8Array>;
}

/** Python with nb101, by `NB101_PYTHON` or of the tree; null where there is none. */
function python(): string | null {
  const named = process.env['NB101_PYTHON'];
  if (named !== undefined) return named;
  const own = join(TREE, '.venv/bin/python');
  return existsSync(own) ? own : null;
}

/** All of NAS-Bench-101 as the core has it; or why it cannot be had. */
export function whole(): Whole | string {
  const command = python();
  if (command === null) return '(NB101_PYTHON names no Python with nb101, and .venv has none)';
  const folder = mkdtempSync(join(tmpdir(), 'nb101-golden-'));
  try {
    const tool = join(TREE, 'tests/explore/golden.py');
    execFileSync(command, [tool, 'whole', folder], { stdio: ['ignore', 'inherit', 'inherit'] });
    const read = (name: string): ArrayBuffer =>
      new Uint8Array(readFileSync(join(folder, `${name}.bin`))).buffer;
    const columns = {
      edgesLow: new Uint32Array(read('edges_low')),
      edgesHigh: null,
      labelsLow: new Uint32Array(read('labels_low')),
      labelsHigh: new Uint32Array(read('labels_high')),
    };
    return {
      finder: new Finder(columns, SPACE),
      digests: new Uint8Array(read('digests')),
      degrees: new Uint32Array(read('degrees')),
      sums: new Float64Array(read('sums')),
      distances: new Map(
        [0, 12345, 423623].map((row) => [row, new Uint8Array(read(`distances_${row}`))]),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Random numbers from 0 to below 1, the same for one seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A cell as a matrix, its interior in a random order, of which some are topological. */
export function shuffled(
  cell: Cell,
  random: () => number,
  topological: boolean,
): { matrix: Uint8Array[]; ops: number[]; order: number[] } {
  const into = Array.from({ length: cell.n }, () => 0);
  for (const [x, y] of cell.edges) into[y] |= 1 << x;
  const order = [0];
  let placed = 1;
  while (order.length < cell.n) {
    const free: number[] = [];
    for (let vertex = 1; vertex < cell.n - 1; vertex++) {
      const ready = !topological || (into[vertex] & ~placed) === 0;
      if (!((placed >> vertex) & 1) && ready) free.push(vertex);
    }
    const next = free.length > 0 ? free[Math.floor(random() * free.length)] : cell.n - 1;
    placed |= 1 << next;
    order.push(next);
  }
  const place = order.map((_, vertex) => order.indexOf(vertex));
  const matrix = order.map(() => new Uint8Array(cell.n));
  for (const [x, y] of cell.edges) matrix[place[x]][place[y]] = 1;
  const ops = order.slice(1, -1).map((vertex) => cell.ops[vertex - 1]);
  return { matrix, ops, order };
}
