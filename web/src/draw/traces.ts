/** Searches on the map: the last cells that each has asked for, and the path of its best one. */
import { finished, incumbentsAfter } from '../data/traces';
import type { Trace } from '../data/traces';
import type { Look } from './kinds';
import type { View } from './surface';

/** Cells that are drawn of each run: the last ones, paler with age. */
export const RECENT = 60;

/** A run, and where the cells of its queries are on the axes; NaN where they have no place. */
export interface PlacedTrace {
  readonly trace: Trace;
  readonly u: Float32Array;
  readonly v: Float32Array;
  readonly look: Look;
}

export interface Ground {
  readonly width: number;
  readonly height: number;
  /** What the map lies on, and what is written on it. */
  readonly background: string;
  readonly ink: string;
}

const markers = new Map<string, Path2D>();

function markerOf(path: string): Path2D {
  let marker = markers.get(path);
  if (marker === undefined) {
    marker = new Path2D(path);
    markers.set(path, marker);
  }
  return marker;
}

/** Draw runs as they are at a time, over what is there. */
export function paintTraces(
  context: CanvasRenderingContext2D,
  runs: readonly PlacedTrace[],
  seconds: number,
  view: View,
  ground: Ground,
): void {
  const { width, height } = ground;
  const [sx, sy] = [width / (view.x1 - view.x0), height / (view.y1 - view.y0)];
  const x = (run: PlacedTrace, query: number) => (run.u[query] - view.x0) * sx;
  const y = (run: PlacedTrace, query: number) => (view.y1 - run.v[query]) * sy;
  context.lineJoin = 'round';
  const counts = runs.map((run) => finished(run.trace, seconds));

  runs.forEach((run, at) => {
    const to = counts[at];
    for (let query = Math.max(0, to - RECENT); query < to; query++) {
      const [px, py] = [x(run, query), y(run, query)];
      if (!(px > -5 && px < width + 5 && py > -5 && py < height + 5)) continue;
      const young = 1 - (to - 1 - query) / RECENT;
      context.globalAlpha = 0.15 + 0.8 * young;
      const radius = query === to - 1 ? 5 : 2.2 + 1.6 * young;
      // A square of the ground below a square is an outline that costs no path.
      context.fillStyle = ground.background;
      context.fillRect(px - radius - 1, py - radius - 1, 2 * radius + 2, 2 * radius + 2);
      context.fillStyle = run.look.colour;
      context.fillRect(px - radius, py - radius, 2 * radius, 2 * radius);
    }
  });
  context.globalAlpha = 1;

  runs.forEach((run, at) => {
    const { incumbents } = run.trace;
    const many = incumbentsAfter(run.trace, counts[at]);
    context.beginPath();
    for (let step = 0; step < many; step++) {
      const [px, py] = [x(run, incumbents[step]), y(run, incumbents[step])];
      if (Number.isFinite(px) && Number.isFinite(py)) context.lineTo(px, py);
    }
    context.setLineDash([]);
    context.strokeStyle = ground.background;
    context.lineWidth = 5;
    context.stroke();
    context.setLineDash([...run.look.dash]);
    context.strokeStyle = run.look.colour;
    context.lineWidth = 2.2;
    context.stroke();
  });
  context.setLineDash([]);

  runs.forEach((run, at) => {
    const { incumbents } = run.trace;
    const many = incumbentsAfter(run.trace, counts[at]);
    if (many === 0) return;
    const [px, py] = [x(run, incumbents[many - 1]), y(run, incumbents[many - 1])];
    if (!Number.isFinite(px) || !Number.isFinite(py)) return;
    context.save();
    context.translate(px, py);
    context.scale(1.5, 1.5);
    const marker = markerOf(run.look.marker);
    context.strokeStyle = ground.background;
    context.lineWidth = 4;
    context.stroke(marker);
    context.fillStyle = run.look.colour;
    context.fill(marker);
    context.strokeStyle = ground.ink;
    context.lineWidth = 1;
    context.stroke(marker);
    context.restore();
  });
}
