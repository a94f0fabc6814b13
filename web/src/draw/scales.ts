/** Axes: numbers to positions in [0, 1] and back, ticks, and how numbers are written. */
import { scaleLinear, scaleLog } from 'd3-scale';
import type { ScaleContinuousNumeric } from 'd3-scale';
import type { Column } from '../contract';
import type { Numbers, Values } from '../data/values';

export type ScaleKind = 'linear' | 'log';

/** An axis over a column's range: position 0 is its least number, 1 its greatest. */
export interface Axis {
  readonly kind: ScaleKind;
  readonly low: number;
  readonly high: number;
  /** NaN for numbers that the axis cannot show. */
  position(value: number): number;
  value(position: number): number;
}

/** A little room on both sides, so that no point lies on the frame. */
const MARGIN = 0.02;

export function axisOf(values: Values, kind: ScaleKind): Axis {
  let low = kind === 'log' ? values.lowPositive : values.low;
  let high = values.high;
  if (!(low <= high)) [low, high] = [kind === 'log' ? 1 : 0, kind === 'log' ? 10 : 1];
  if (values.column.integer && kind === 'linear' && high - low < 50) {
    [low, high] = [low - 0.5, high + 0.5];
  } else if (low === high) {
    [low, high] = kind === 'log' ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  } else if (kind === 'log') {
    const factor = (high / low) ** MARGIN;
    [low, high] = [low / factor, high * factor];
  } else {
    const room = (high - low) * MARGIN;
    [low, high] = [low - room, high + room];
  }
  return axisBetween(low, high, kind);
}

export function axisBetween(low: number, high: number, kind: ScaleKind): Axis {
  if (kind === 'log') {
    const start = Math.log(low);
    const span = Math.log(high) - start;
    return {
      kind,
      low,
      high,
      position: (value) => (value > 0 ? (Math.log(value) - start) / span : NaN),
      value: (position) => Math.exp(start + position * span),
    };
  }
  const span = high - low;
  return {
    kind,
    low,
    high,
    position: (value) => (value - low) / span,
    value: (position) => low + position * span,
  };
}

/** Positions of all rows. */
export function positions(axis: Axis, data: Numbers): Float32Array {
  const at = new Float32Array(data.length);
  if (axis.kind === 'linear') {
    const factor = 1 / (axis.high - axis.low);
    for (let row = 0; row < data.length; row++) at[row] = (data[row] - axis.low) * factor;
  } else {
    for (let row = 0; row < data.length; row++) at[row] = axis.position(data[row]);
  }
  return at;
}

/** d3's scale of what an axis shows between two positions, in shown units, for ticks. */
export function d3scale(
  axis: Axis,
  from: number,
  to: number,
  pixels: readonly [number, number],
  factor: number,
): ScaleContinuousNumeric<number, number> {
  const domain = [axis.value(from) * factor, axis.value(to) * factor];
  const scale = axis.kind === 'log' ? scaleLog() : scaleLinear();
  return scale.domain(domain).range([...pixels]);
}

const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A number of a column as people read it, with its unit. */
export function shown(column: Column, value: number): string {
  return `${figure(column, value)}${unitOf(column, value)}`;
}

export function unitOf(column: Column, value: number): string {
  if (Number.isNaN(value) || column.unit === '') return '';
  return column.unit === '%' ? ' %' : ` ${column.unit}`;
}

/** A number of a column without its unit; a dash where there is none. */
export function figure(column: Column, value: number): string {
  if (!Number.isFinite(value)) return '–';
  const number = value * column.factor;
  if (column.integer) return WHOLE.format(number);
  if (column.unit === '%' || column.unit === 'pp') return number.toFixed(2);
  const size = Math.abs(number);
  if (size >= 1000) return WHOLE.format(number);
  if (size >= 100) return number.toFixed(1);
  if (size >= 1) return number.toFixed(2);
  return number.toPrecision(3);
}

/** A number of a tick: 10M instead of 10,000,000. */
export function tick(value: number): string {
  return Math.abs(value) >= 10000 ? SHORT.format(value) : String(Number(value.toPrecision(6)));
}

/** What stands along an axis: name, unit, and that it is predicted. */
export function axisLabel(column: Column): string {
  const unit =
    column.unit === '' ? '' : ` (${column.unit === 'pp' ? 'percentage points' : column.unit})`;
  return `${column.kind === 'predicted' ? 'predicted ' : ''}${column.title}${unit}`;
}
