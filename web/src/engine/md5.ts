/** MD5 (RFC 1321) of messages that lie in words. */

const SINES = Int32Array.from({ length: 64 }, (_, i) =>
  Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32),
);

/** Continues `state` with a block of 16 words from `at` on. */
function block(state: Int32Array, words: Int32Array, at: number): void {
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  for (let i = 0; i < 16; i += 4) {
    a = step(a, b, (b & c) | (~b & d), words[at + i] + SINES[i], 7);
    d = step(d, a, (a & b) | (~a & c), words[at + i + 1] + SINES[i + 1], 12);
    c = step(c, d, (d & a) | (~d & b), words[at + i + 2] + SINES[i + 2], 17);
    b = step(b, c, (c & d) | (~c & a), words[at + i + 3] + SINES[i + 3], 22);
  }
  for (let i = 16; i < 32; i += 4) {
    const k = 5 * i + 1;
    a = step(a, b, (b & d) | (c & ~d), words[at + (k & 15)] + SINES[i], 5);
    d = step(d, a, (a & c) | (b & ~c), words[at + ((k + 5) & 15)] + SINES[i + 1], 9);
    c = step(c, d, (d & b) | (a & ~b), words[at + ((k + 10) & 15)] + SINES[i + 2], 14);
    b = step(b, c, (c & a) | (d & ~a), words[at + ((k + 15) & 15)] + SINES[i + 3], 20);
  }
  for (let i = 32; i < 48; i += 4) {
    const k = 3 * i + 5;
    a = step(a, b, b ^ c ^ d, words[at + (k & 15)] + SINES[i], 4);
    d = step(d, a, a ^ b ^ c, words[at + ((k + 3) & 15)] + SINES[i + 1], 11);
    c = step(c, d, d ^ a ^ b, words[at + ((k + 6) & 15)] + SINES[i + 2], 16);
    b = step(b, c, c ^ d ^ a, words[at + ((k + 9) & 15)] + SINES[i + 3], 23);
  }
  for (let i = 48; i < 64; i += 4) {
    const k = 7 * i;
    a = step(a, b, c ^ (b | ~d), words[at + (k & 15)] + SINES[i], 6);
    d = step(d, a, b ^ (a | ~c), words[at + ((k + 7) & 15)] + SINES[i + 1], 10);
    c = step(c, d, a ^ (d | ~b), words[at + ((k + 14) & 15)] + SINES[i + 2], 15);
    b = step(b, c, d ^ (c | ~a), words[at + ((k + 21) & 15)] + SINES[i + 3], 21);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

function step(a: number, b: number, mixed: number, added: number, left: number): number {
  const sum = (a + mixed + added) | 0;
  return (b + ((sum << left) | (sum >>> (32 - left)))) | 0;
}

/**
 * The digest, four words, of the message of so many bytes at the start of `words`, least byte first.
 * What stands behind it there is overwritten: padding needs up to 18 words. The bytes of the last
 * word that the message leaves free must be 0.
 */
export function digest(words: Int32Array, bytes: number, state: Int32Array): void {
  const blocks = ((bytes + 8) >>> 6) + 1;
  const end = bytes >>> 2;
  if ((bytes & 3) === 0) words[end] = 0;
  words[end] |= 0x80 << (8 * (bytes & 3));
  words.fill(0, end + 1, 16 * blocks);
  words[16 * blocks - 2] = bytes << 3;
  words[16 * blocks - 1] = bytes >>> 29;
  state[0] = 0x67452301;
  state[1] = 0xefcdab89 | 0;
  state[2] = 0x98badcfe | 0;
  state[3] = 0x10325476;
  for (let i = 0; i < blocks; i++) block(state, words, 16 * i);
}

/** Words of a text of ASCII, with room for padding. */
export function wordsOfText(text: string): Int32Array {
  const words = new Int32Array((text.length >> 2) + 32);
  for (let i = 0; i < text.length; i++) words[i >> 2] |= text.charCodeAt(i) << (8 * (i & 3));
  return words;
}

/** 32 hexadecimal digits of a digest. */
export function hexOf(state: Int32Array): string {
  let text = '';
  for (let i = 0; i < 16; i++)
    text += ((state[i >> 2] >> (8 * (i & 3))) & 255).toString(16).padStart(2, '0');
  return text;
}

export function md5(text: string): string {
  const state = new Int32Array(4);
  digest(wordsOfText(text), text.length, state);
  return hexOf(state);
}
