/** A column that has been read: one number a row, and what is said of it. */
import type { Column, Encoding, NumberType } from '../contract';
import type { Source } from '../source';

export type Numbers =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

export interface Values {
  readonly column: Column;
  readonly data: Numbers;
  /** Least and greatest number that is there; both NaN where none is. */
  readonly low: number;
  readonly high: number;
  /** Rows that have no number. */
  readonly missing: number;
  /** Least number above zero, where a logarithmic axis can begin; NaN where there is none. */
  readonly lowPositive: number;
}

const ARRAYS = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

const BYTES: Record<NumberType, number> = { u8: 1, u16: 2, u32: 4, i32: 4, f32: 4, f64: 8 };

/** Put bytes that lie in planes, all first ones first, beside each other again. */
function unplane(bytes: ArrayBuffer, width: number): ArrayBuffer {
  const count = bytes.byteLength / width;
  const from = new Uint8Array(bytes);
  const to = new Uint8Array(bytes.byteLength);
  for (let plane = 0; plane < width; plane++) {
    const start = plane * count;
    for (let row = 0, at = plane; row < count; row++, at += width) to[at] = from[start + row];
  }
  return to.buffer;
}

async function array(
  source: Source,
  file: string,
  type: NumberType,
  planes: boolean,
): Promise<Numbers> {
  const bytes = await source.bytes(file);
  if (bytes.byteLength % BYTES[type] !== 0) throw new Error(`${file} is cut short`);
  return new ARRAYS[type](planes && BYTES[type] > 1 ? unplane(bytes, BYTES[type]) : bytes);
}

/** The files of an encoding. */
export function filesOf(encoding: Encoding): string[] {
  return encoding.kind === 'numbers' ? [encoding.file] : [encoding.codes, encoding.values];
}

/** Read the numbers of an encoding; `shared` keeps files of codes that several columns share. */
export async function decode(
  source: Source,
  encoding: Encoding,
  count: number,
  shared: Map<string, Promise<Numbers>> = new Map(),
): Promise<Numbers> {
  let data: Numbers;
  if (encoding.kind === 'numbers') {
    data = await array(source, encoding.file, encoding.type, encoding.planes ?? false);
  } else {
    let reading = shared.get(encoding.codes);
    if (reading === undefined) {
      reading = array(source, encoding.codes, encoding.codeType, encoding.planes ?? false);
      shared.set(encoding.codes, reading);
      reading.catch(() => shared.delete(encoding.codes));
    }
    const [codes, values] = await Promise.all([
      reading,
      array(source, encoding.values, encoding.valueType, false),
    ]);
    data = new ARRAYS[encoding.valueType](codes.length);
    for (let row = 0; row < codes.length; row++) data[row] = values[codes[row]];
  }
  if (data.length !== count) {
    throw new Error(`a column has ${data.length} values, where the table has ${count} cells`);
  }
  return data;
}

/** What is said of numbers: their range, and how many are missing. */
export function describe(column: Column, data: Numbers): Values {
  let low = Infinity;
  let high = -Infinity;
  let lowPositive = Infinity;
  let missing = 0;
  // By index: five columns take 22 ms, and 35 ms by an iterator.
  for (let row = 0; row < data.length; row++) {
    const value = data[row];
    if (!Number.isFinite(value)) {
      missing++;
      continue;
    }
    if (value < low) low = value;
    if (value > high) high = value;
    if (value > 0 && value < lowPositive) lowPositive = value;
  }
  if (low > high) low = high = NaN;
  if (lowPositive === Infinity) lowPositive = NaN;
  return { column, data, low, high, missing, lowPositive };
}
