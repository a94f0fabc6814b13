/**
 * The fingerprint of NAS-Bench-101: rounds of MD5 over the digits of neighbours' hashes.
 *
 * A hash is kept as its four words and as its 32 digits in eight words; digests are put in the order
 * of their digits by their bytes, and messages are put together of words, not of strings.
 */

import { columnsOf, rowsOf, type Cell, type Columns, type SpaceShape } from './cell';
import { digest, hexOf, wordsOfText } from './md5';

const BAR = 0x7c;
/** Vertices of a cell, and in- and out-neighbours, itself and two bars of a message. */
const MOST = 16;
const words = new Int32Array(8 * MOST + 64);
const state = new Int32Array(4);
/** Digits of each vertex before and after a round, eight words each. */
let digits = new Int32Array(8 * MOST);
let nextDigits = new Int32Array(8 * MOST);
/** Digests whose unsigned words compare as the digits do. */
let keys = new Uint32Array(4 * MOST);
let nextKeys = new Uint32Array(4 * MOST);
const sorted = new Uint8Array(MOST);

/** Two digits of each byte, the first in the lower byte. */
const HEX = Uint16Array.from({ length: 256 }, (_, byte) => {
  const text = byte.toString(16).padStart(2, '0');
  return text.charCodeAt(0) | (text.charCodeAt(1) << 8);
});

/** The fingerprint of a cell, in any form: the indices of its ops are hashed, not their names. */
export function hashOf(cell: Cell, space?: SpaceShape): string {
  if (space && cell.ops.some((op) => op >= space.ops.length)) {
    throw new RangeError('a cell with an op that is none of the space has no hash there');
  }
  return hashOfColumns(columnsOf(cell), cell.ops);
}

export function hashOfColumns(columns: Columns, ops: readonly number[]): string {
  hashInto(columns, rowsOf(columns), ops);
  return hexOf(state);
}

/** The same as bytes, written to `bytes` from `at` on; `rows` are the out-neighbours. */
export function hashBytes(
  columns: Columns,
  rows: readonly number[],
  ops: readonly number[],
  bytes: Uint8Array,
  at: number,
): void {
  hashInto(columns, rows, ops);
  for (let i = 0; i < 16; i++) bytes[at + i] = state[i >> 2] >> (8 * (i & 3));
}

function hashInto(columns: Columns, rows: readonly number[], ops: readonly number[]): void {
  const n = columns.length;
  for (let vertex = 0; vertex < n; vertex++) {
    const label = vertex === 0 ? -1 : vertex === n - 1 ? -2 : ops[vertex - 1];
    const first = initial(rows[vertex], columns[vertex], label);
    digits.set(first.digits, 8 * vertex);
    keys.set(first.keys, 4 * vertex);
  }
  for (let round = 0; round < n; round++) {
    for (let vertex = 0; vertex < n; vertex++) {
      words[0] = 0;
      let bytes = append(0, columns[vertex]);
      bytes = bar(bytes);
      bytes = append(bytes, rows[vertex]);
      bytes = bar(bytes);
      bytes = copy(bytes, vertex);
      digest(words, bytes, state);
      keep(nextDigits, nextKeys, vertex);
    }
    [digits, nextDigits] = [nextDigits, digits];
    [keys, nextKeys] = [nextKeys, keys];
  }
  // As Python prints a list of strings: ['...', '...'].
  words[0] = 0;
  let bytes = put(0, 0x5b);
  const count = sort((1 << n) - 1);
  for (let i = 0; i < count; i++) {
    bytes = put(bytes, 0x27);
    bytes = copy(bytes, sorted[i]);
    bytes = put(bytes, 0x27);
    if (i + 1 < count) bytes = put(put(bytes, 0x2c), 0x20);
  }
  bytes = put(bytes, 0x5d);
  digest(words, bytes, state);
}

const initials = new Map<number, { digits: Int32Array; keys: Uint32Array }>();

/** What a vertex begins with: the hash of its degrees and its label. */
function initial(
  out: number,
  into: number,
  label: number,
): { digits: Int32Array; keys: Uint32Array } {
  const degrees = [out, into].map((set) => bits(set));
  const key = (degrees[0] * 16 + degrees[1]) * 32 + label + 2;
  let known = initials.get(key);
  if (known === undefined) {
    const text = `(${degrees[0]}, ${degrees[1]}, ${label})`;
    digest(wordsOfText(text), text.length, state);
    known = { digits: new Int32Array(8), keys: new Uint32Array(4) };
    keep(known.digits, known.keys, 0);
    initials.set(key, known);
  }
  return known;
}

function bits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Keeps the digest in `state` as the hash of a vertex. */
function keep(allDigits: Int32Array, allKeys: Uint32Array, vertex: number): void {
  for (let i = 0; i < 4; i++) {
    const word = state[i];
    const [b0, b1, b2, b3] = [word & 255, (word >> 8) & 255, (word >> 16) & 255, word >>> 24];
    allDigits[8 * vertex + 2 * i] = HEX[b0] | (HEX[b1] << 16);
    allDigits[8 * vertex + 2 * i + 1] = HEX[b2] | (HEX[b3] << 16);
    allKeys[4 * vertex + i] = (b0 << 24) | (b1 << 16) | (b2 << 8) | b3;
  }
}

/** Puts the members of a set into `sorted` by their hashes; says how many they are. */
function sort(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) {
    const vertex = 31 - Math.clz32(rest & -rest);
    let at = count++;
    while (at > 0 && isLess(vertex, sorted[at - 1])) {
      sorted[at] = sorted[at - 1];
      at--;
    }
    sorted[at] = vertex;
  }
  return count;
}

function isLess(a: number, b: number): boolean {
  for (let i = 0; i < 4; i++) {
    const [x, y] = [keys[4 * a + i], keys[4 * b + i]];
    if (x !== y) return x < y;
  }
  return false;
}

/** Adds the digits of all members of a set, sorted, to the message of so many bytes. */
function append(bytes: number, set: number): number {
  const count = sort(set);
  let end = bytes;
  for (let i = 0; i < count; i++) end = copy(end, sorted[i]);
  return end;
}

/** Adds the digits of a vertex. */
function copy(bytes: number, vertex: number): number {
  let at = bytes >> 2;
  const shift = 8 * (bytes & 3);
  const from = 8 * vertex;
  if (shift === 0) {
    for (let i = 0; i < 8; i++) words[at++] = digits[from + i];
    words[at] = 0;
  } else {
    for (let i = 0; i < 8; i++) {
      const word = digits[from + i];
      words[at++] |= word << shift;
      words[at] = word >>> (32 - shift);
    }
  }
  return bytes + 32;
}

function bar(bytes: number): number {
  return put(bytes, BAR);
}

/** Adds a byte. */
function put(bytes: number, byte: number): number {
  const at = bytes >> 2;
  words[at] |= byte << (8 * (bytes & 3));
  if ((bytes & 3) === 3) words[at + 1] = 0;
  return bytes + 1;
}
