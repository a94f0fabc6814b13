/** Axes with ticks, grid lines, names and units. */
import { axisBottom, axisLeft } from 'd3-axis';
import { select } from 'd3-selection';
import { useEffect, useRef } from 'preact/hooks';
import type { Column } from '../contract';
import { axisLabel, d3scale, tick } from './scales';
import type { Axis } from './scales';

/** Pixels beside an axis that its name may take too. */
const MARGIN = 8;

interface Props {
  side: 'bottom' | 'left';
  axis: Axis;
  column: Column;
  from: number;
  to: number;
  width: number;
  height: number;
}

export function AxisView({ side, axis, column, from, to, width, height }: Props) {
  const group = useRef<SVGGElement>(null);
  const name = useRef<SVGTextElement>(null);
  const bottom = side === 'bottom';
  useEffect(() => {
    const pixels = bottom ? ([0, width] as const) : ([height, 0] as const);
    const scale = d3scale(axis, from, to, pixels, column.factor);
    const many = Math.max(2, Math.round((bottom ? width : height) / (bottom ? 90 : 55)));
    const made = (bottom ? axisBottom(scale) : axisLeft(scale))
      .ticks(many)
      .tickSizeOuter(0)
      .tickSizeInner(bottom ? -height : -width)
      .tickPadding(7);
    const marks = axis.kind === 'log' ? logTicks(scale.domain(), many) : scale.ticks(many);
    const kept = column.integer ? marks.filter((value) => Number.isInteger(value)) : marks;
    made.tickValues(kept).tickFormat((value) => tick(Number(value)));
    select(group.current!).call(made);
  }, [axis, column, from, to, width, height]);
  // On a phone a long name is set closer: it would be cut off.
  useEffect(() => {
    const text = name.current!;
    text.removeAttribute('textLength');
    const room = (bottom ? width : height) + 2 * MARGIN;
    if (text.getComputedTextLength() <= room) return;
    text.setAttribute('textLength', String(room));
    text.setAttribute('lengthAdjust', 'spacingAndGlyphs');
  }, [column, width, height]);
  return (
    <g class="nb-axis" aria-hidden="true">
      <g ref={group} transform={bottom ? `translate(0 ${height})` : undefined} />
      {bottom ? (
        <text ref={name} class="nb-axis-name" x={width / 2} y={height + 38} text-anchor="middle">
          {axisLabel(column)}
        </text>
      ) : (
        <text
          ref={name}
          class="nb-axis-name"
          transform={`translate(-48 ${height / 2}) rotate(-90)`}
          text-anchor="middle"
        >
          {axisLabel(column)}
        </text>
      )}
    </g>
  );
}

/** Ticks of a logarithmic axis: 1, 2 and 5 of each power while they fit, and all that fit within one. */
function logTicks(domain: readonly number[], many: number): number[] {
  const [low, high] = [domain[0], domain[domain.length - 1]];
  const powers = Math.log10(high / low);
  for (const digits of [
    [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 5, 7],
    [1, 2, 5],
    [1, 3],
    [1],
  ]) {
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const digit of digits) {
        const value = digit * 10 ** power;
        if (value >= low && value <= high) ticks.push(Number(value.toPrecision(6)));
      }
    }
    if (ticks.length <= Math.max(3, many) && (ticks.length > 1 || powers < 0.3)) {
      return ticks.length > 1 ? ticks : [low, high].map((value) => Number(value.toPrecision(3)));
    }
  }
  // Many powers and little room: each second one, or third.
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const stride = Math.ceil((last - first) / (Math.max(3, many) - 1));
  const ticks: number[] = [];
  for (let power = first; power <= last; power += Math.max(1, stride)) {
    ticks.push(Number((10 ** power).toPrecision(6)));
  }
  return ticks.length > 1 ? ticks : [low, high].map((value) => Number(value.toPrecision(3)));
}
