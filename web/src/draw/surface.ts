/** What draws points: the canvas raster or WebGL, behind one interface. */

/** Points in the order in which they are drawn, which is no order of theirs: later ones cover. */
export interface Scene {
  /** Row of each point. */
  readonly order: Uint32Array;
  /** Positions along the axes, see `draw/scales`; NaN where a row has none. */
  readonly u: Float32Array;
  readonly v: Float32Array;
  /** Entry of the palette of each point. */
  readonly colour: Uint8Array;
  /** Size of each point from 0 to 255, or all the same. */
  readonly size: Uint8Array | null;
  /** 0 for each row that passes the filters. */
  readonly fails: Uint8Array;
  /** 1 for each row that is selected, or no selection. */
  readonly selected: Uint8Array | null;
}

/** Positions at the edges of what is seen. */
export interface View {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
}

export const ALL: View = { x0: 0, x1: 1, y0: 0, y1: 1 };

export interface Look {
  /** 256 colours, as CSS. */
  readonly palette: readonly string[];
  readonly background: string;
  /** Of what fails a filter or is not selected. */
  readonly faint: string;
  /** Diameter in CSS pixels; the least one where sizes differ. */
  readonly diameter: number;
  readonly opacity: number;
}

export interface Surface {
  readonly kind: 'canvas' | 'webgl';
  resize(width: number, height: number, ratio: number): void;
  draw(scene: Scene, view: View, look: Look): void;
  destroy(): void;
}

/** A fixed shuffle of rows, the same each time: neighbours in the table do not cover in turn. */
export function shuffled(count: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let row = 0; row < count; row++) order[row] = row;
  let state = 101;
  for (let last = count - 1; last > 0; last--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    const row = order[last];
    order[last] = order[other];
    order[other] = row;
  }
  return order;
}

/** Put numbers of rows into the order of drawing. */
export function gathered<T extends Float32Array | Uint8Array>(values: T, order: Uint32Array): T {
  const to = values.slice();
  for (let at = 0; at < order.length; at++) to[at] = values[order[at]];
  return to as T;
}
