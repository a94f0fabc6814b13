/** What the map draws, of what an explorer looks at. */
import { computed } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Values } from '../data/values';
import { axisBetween, axisOf, positions } from '../draw/scales';
import type { Axis } from '../draw/scales';
import { Grid } from '../draw/grid';
import { gathered, shuffled } from '../draw/surface';
import type { Scene } from '../draw/surface';
import type { Explorer } from './explorer';

export class MapScene {
  readonly order: Uint32Array;

  constructor(private readonly explorer: Explorer) {
    this.order = shuffled(explorer.count);
  }

  private readonly places: ReadonlySignal<{ u: Float32Array; v: Float32Array } | null> = computed(
    () => {
      const { explorer, order } = this;
      const [x, y] = [
        explorer.values(explorer.x.value).value,
        explorer.values(explorer.y.value).value,
      ];
      const [xAxis, yAxis] = [explorer.xAxis.value, explorer.yAxis.value];
      if (x === null || y === null || xAxis === null || yAxis === null) return null;
      const u = positions(xAxis, x.data);
      const v = positions(yAxis, y.data);
      // Integers would lie on top of each other: they are spread over most of their step.
      scatter(u, x, xAxis, 2654435761);
      scatter(v, y, yAxis, 2246822519);
      return { u: gathered(u, order), v: gathered(v, order) };
    },
  );

  /** The range that the palette covers. */
  readonly colourAxis: ReadonlySignal<Axis | null> = computed(() => {
    const values = this.explorer.values(this.explorer.colour.value).value;
    return values && robust(values);
  });

  private readonly colours: ReadonlySignal<Uint8Array | null> = computed(() =>
    graded(
      this.explorer.values(this.explorer.colour.value).value,
      this.colourAxis.value,
      this.order,
    ),
  );

  private readonly sizes: ReadonlySignal<Uint8Array | null> = computed(() => {
    const name = this.explorer.size.value;
    const values = name === null ? null : this.explorer.values(name).value;
    return graded(values, values && robust(values), this.order);
  });

  /** Prepare for the pointer, before it comes. */
  prepare(): void {
    void this.grid.peek();
  }

  /** Null until the columns are there. */
  readonly scene: ReadonlySignal<Scene | null> = computed(() => {
    const places = this.places.value;
    const colour = this.colours.value;
    if (places === null || colour === null) return null;
    return {
      order: this.order,
      ...places,
      colour,
      size: this.sizes.value,
      fails: this.explorer.filters.fails,
      selected: this.explorer.selected.value,
    };
  });

  private readonly grid: ReadonlySignal<Grid | null> = computed(() => {
    const places = this.places.value;
    return places && new Grid(places.u, places.v);
  });

  /** The row shown nearest to a position within some pixels, -1 where there is none. */
  nearest(u: number, v: number, width: number, height: number, reach: number): number {
    const [scene, grid] = [this.scene.peek(), this.grid.peek()];
    if (scene === null || grid === null || this.explorer.mode.peek() === 'density') return -1;
    return grid.nearest(scene, this.explorer.seen.peek(), u, v, width, height, reach);
  }

  /** The point of each row. */
  private readonly pointOf: ReadonlySignal<Uint32Array> = computed(() => {
    const points = new Uint32Array(this.order.length);
    this.order.forEach((row, at) => (points[row] = at));
    return points;
  });

  /** Where a row is drawn; null where it has no place. */
  place(row: number): readonly [number, number] | null {
    const places = this.places.value;
    if (places === null) return null;
    if (row < 0 || row >= this.order.length) return null;
    const at = this.pointOf.value[row];
    const [u, v] = [places.u[at], places.v[at]];
    return Number.isFinite(u) && Number.isFinite(v) ? [u, v] : null;
  }
}

function scatter(at: Float32Array, values: Values, axis: Axis, factor: number): void {
  if (!values.column.integer || axis.kind !== 'linear' || axis.high - axis.low > 50) return;
  const step = 0.7 / (axis.high - axis.low);
  for (let row = 0; row < at.length; row++) {
    at[row] += ((Math.imul(row + 1, factor) >>> 8) / 2 ** 24 - 0.5) * step;
  }
}

/** An axis over nearly all numbers: tails would leave the rest one colour. */
export function robust(values: Values): Axis {
  const kind = values.column.scale;
  const whole = axisOf(values, kind);
  if (values.column.integer && values.high - values.low < 50) {
    return axisBetween(values.low, Math.max(values.high, values.low + 1), 'linear');
  }
  const step = Math.max(1, Math.floor(values.data.length / 8192));
  const sample: number[] = [];
  for (let row = 0; row < values.data.length; row += step) {
    const at = whole.position(values.data[row]);
    if (at >= 0 && at <= 1) sample.push(values.data[row]);
  }
  if (sample.length < 20) return whole;
  sample.sort((a, b) => a - b);
  const low = sample[Math.floor(sample.length * 0.03)];
  const high = sample[Math.ceil(sample.length * 0.995) - 1];
  return low < high ? axisBetween(low, high, kind) : whole;
}

function graded(values: Values | null, axis: Axis | null, order: Uint32Array): Uint8Array | null {
  if (values === null || axis === null) return null;
  const grades = new Uint8Array(order.length);
  for (let at = 0; at < order.length; at++) {
    const place = axis.position(values.data[order[at]]);
    grades[at] = place >= 1 ? 255 : place > 0 ? place * 255 : 0;
  }
  return grades;
}
