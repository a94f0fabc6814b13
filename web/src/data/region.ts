/** Cells within a box or a lasso on the map. */
import type { Numbers } from './values';

/** Corners in the axes' own numbers; a box has two opposite ones. */
export interface Region {
  readonly shape: 'box' | 'lasso';
  readonly x: string;
  readonly y: string;
  readonly points: readonly (readonly [number, number])[];
}

/** A corner's number as the address writes it: what a link selects is then the same to a cell. */
export const rounded = (value: number): number => Number(value.toPrecision(7));

/**
 * Whether each row lies in a region, 1 or 0. `position` is of each axis: a lasso has straight sides
 * where it was drawn, which on a logarithmic axis is not where the numbers are straight.
 */
export function within(
  region: Region,
  x: Numbers,
  y: Numbers,
  positionX: (value: number) => number,
  positionY: (value: number) => number,
): Uint8Array {
  const inside = new Uint8Array(x.length);
  const xs = region.points.map(([value]) => value);
  const ys = region.points.map(([, value]) => value);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  const corners = region.points.map(([a, b]) => [positionX(a), positionY(b)] as const);
  for (let row = 0; row < x.length; row++) {
    const [a, b] = [x[row], y[row]];
    if (!(a >= left && a <= right && b >= bottom && b <= top)) continue;
    inside[row] = region.shape === 'box' || surrounds(corners, positionX(a), positionY(b)) ? 1 : 0;
  }
  return inside;
}

/** Whether a point lies in a polygon, by the crossings of a ray (even and odd). */
export function surrounds(
  corners: readonly (readonly [number, number])[],
  x: number,
  y: number,
): boolean {
  let inside = false;
  for (let at = 0, before = corners.length - 1; at < corners.length; before = at++) {
    const [ax, ay] = corners[at];
    const [bx, by] = corners[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
