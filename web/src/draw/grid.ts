/** Which point is under the pointer: rows in squares of positions. */
import type { Scene, View } from './surface';

const SIDE = 512;

export class Grid {
  /** Points of a square lie from `starts[square]` to `starts[square + 1]` in `points`. */
  private readonly starts: Uint32Array;
  private readonly points: Uint32Array;

  constructor(
    private readonly u: Float32Array,
    private readonly v: Float32Array,
  ) {
    const squares = new Uint32Array(u.length);
    const starts = new Uint32Array(SIDE * SIDE + 2);
    for (let at = 0; at < u.length; at++) {
      const square = this.square(u[at], v[at]);
      squares[at] = square;
      starts[square + 1]++;
    }
    for (let at = 1; at < starts.length; at++) starts[at] += starts[at - 1];
    const next = starts.slice();
    this.points = new Uint32Array(u.length);
    for (let at = 0; at < u.length; at++) this.points[next[squares[at]]++] = at;
    this.starts = starts;
  }

  /** The square of a position; the last one is of all that lie nowhere. */
  private square(u: number, v: number): number {
    if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) return SIDE * SIDE;
    const clip = (at: number) => Math.min(SIDE - 1, Math.floor(at * SIDE));
    return clip(v) * SIDE + clip(u);
  }

  /**
   * The row that is shown nearest to a position, within some pixels; -1 if there is none.
   *
   * `width`, `height` are those of the picture in pixels.
   */
  nearest(
    scene: Scene,
    view: View,
    u: number,
    v: number,
    width: number,
    height: number,
    reach: number,
  ): number {
    const perX = width / (view.x1 - view.x0);
    const perY = height / (view.y1 - view.y0);
    const clip = (at: number) => Math.max(0, Math.min(SIDE - 1, Math.floor(at * SIDE)));
    const [left, right] = [clip(u - reach / perX), clip(u + reach / perX)];
    const [bottom, top] = [clip(v - reach / perY), clip(v + reach / perY)];
    const { order, fails, selected } = scene;
    let best = -1;
    let least = reach * reach;
    for (let y = bottom; y <= top; y++) {
      const end = this.starts[y * SIDE + right + 1];
      for (let index = this.starts[y * SIDE + left]; index < end; index++) {
        const at = this.points[index];
        const dx = (this.u[at] - u) * perX;
        const dy = (this.v[at] - v) * perY;
        const distance = dx * dx + dy * dy;
        if (distance > least) continue;
        const row = order[at];
        if (fails[row] !== 0 || (selected !== null && selected[row] === 0)) continue;
        least = distance;
        best = row;
      }
    }
    return best;
  }
}
