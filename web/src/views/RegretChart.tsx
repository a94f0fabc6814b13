/** Regret of the shown runs over simulated time; a cursor stands at the moment that is replayed. */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { momentAt, meanRegret, regretSteps, shareOf, stepPath, timeGrid } from '../data/traces';
import { AxisView } from '../draw/axes';
import { inUnit, unitFor } from '../draw/duration';
import { lookOf } from '../draw/kinds';
import { axisBetween } from '../draw/scales';
import type { Axis } from '../draw/scales';
import { regretColumn, timeColumn } from '../state/written';
import { replayOf } from '../state/replay';
import { useExplorer, useOwnId } from './context';
import { theme } from './theme';

const LEFT = 58;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 44;
const HEIGHT = 210;
/** Points of a mean's curve. */
const GRID = 240;

export function RegretChart() {
  const explorer = useExplorer();
  const replay = replayOf(explorer);
  const frame = useRef<HTMLDivElement>(null);
  const svg = useRef<SVGSVGElement>(null);
  const id = useOwnId();
  const width = useSignal(0);
  useEffect(() => {
    const box = frame.current!;
    const observer = new ResizeObserver(() => {
      width.value = Math.max(80, Math.floor(box.clientWidth) - LEFT - RIGHT);
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const steps = useComputed(() => replay.runs.value.map(({ trace }) => regretSteps(trace)));
  const means = useComputed(() => {
    const axis = replay.axis.value;
    return replay.meanOf.value.map(({ set, traces }) => {
      const seconds = timeGrid(axis, GRID);
      return { set, steps: { seconds, values: meanRegret(traces, seconds) } };
    });
  });
  const regret = useComputed<Axis>(() => {
    let low = Infinity;
    let high = 0;
    for (const { values } of [...steps.value, ...means.value.map((mean) => mean.steps)]) {
      for (let at = 0; at < values.length; at++) {
        if (values[at] > 0) low = Math.min(low, values[at]);
        if (values[at] > high) high = values[at];
      }
    }
    return low < Infinity ? axisBetween(low / 1.4, high * 1.2, 'log') : axisBetween(0, 1, 'linear');
  });
  const zero = steps.value.some(({ values }) => {
    for (let at = 0; at < values.length; at++) if (values[at] === 0) return true;
    return false;
  });

  const time = replay.axis.value;
  const runs = replay.runs.value;
  const wide = width.value;
  const x = (seconds: number) => shareOf(time, seconds) * wide;
  // What has no regret left lies at the lower edge: a logarithmic axis has no zero.
  const y = (value: number) => {
    if (value <= 0) return HEIGHT;
    return (1 - regret.value.position(value)) * HEIGHT;
  };
  const dark = theme.value === 'dark';
  const curves = runs.map(({ set, run, trace }, at) => ({
    key: run.key,
    look: lookOf(set.kind, dark),
    d: stepPath(steps.value[at], trace.queries > 0 ? trace.seconds[trace.queries - 1] : 0, x, y),
    mean: false,
  }));
  for (const mean of means.value) {
    const d = stepPath(mean.steps, time.high, x, y);
    curves.push({ key: `mean ${mean.set.key}`, look: lookOf(mean.set.kind, dark), d, mean: true });
  }

  // With the moment only attributes change, nothing is made anew.
  const move = (now: number) => {
    if (svg.current === null) return;
    const at = Math.min(wide, x(now));
    svg.current.querySelector('clipPath rect')?.setAttribute('width', String(at));
    svg.current.querySelector('.nb-cursor')?.setAttribute('transform', `translate(${at} 0)`);
    svg.current.querySelectorAll('.nb-heads path').forEach((head, order) => {
      const shown = replay.runs.peek().at(order);
      const value = shown === undefined ? NaN : momentAt(shown.trace, now).regret;
      head.setAttribute(
        'transform',
        Number.isNaN(value) ? 'translate(-99 -99)' : `translate(${at} ${y(value)})`,
      );
    });
  };
  const moved = useRef(move);
  moved.current = move;
  useSignalEffect(() => moved.current(replay.now.value));
  useEffect(() => move(replay.now.peek()));

  const drag = (event: PointerEvent) => {
    if (event.type === 'pointerdown') svg.current!.setPointerCapture(event.pointerId);
    else if (!svg.current!.hasPointerCapture(event.pointerId)) return;
    const box = svg.current!.getBoundingClientRect();
    replay.seekShare((event.clientX - box.left - LEFT) / wide);
  };

  const unit = unitFor(time.high);
  const shownTime = timeColumn(unit);
  const column = regretColumn(explorer.manifest);
  return (
    <div ref={frame} class="nb-regret">
      {wide > 0 && (
        <svg
          ref={svg}
          width={LEFT + wide + RIGHT}
          height={TOP + HEIGHT + BOTTOM}
          role="img"
          aria-label={`Regret of ${runs.length} runs over simulated time, to ${inUnit(time.high, unit).toFixed(1)} ${unit}; the table below has the numbers.`}
          onPointerDown={drag}
          onPointerMove={drag}
        >
          <g transform={`translate(${LEFT} ${TOP})`}>
            <AxisView
              side="bottom"
              axis={time}
              column={shownTime}
              from={0}
              to={1}
              width={wide}
              height={HEIGHT}
            />
            <AxisView
              side="left"
              axis={regret.value}
              column={column}
              from={0}
              to={1}
              width={wide}
              height={HEIGHT}
            />
            <clipPath id={`${id}-gone`}>
              <rect x={0} y={-4} width={0} height={HEIGHT + 8} />
            </clipPath>
            <g class="nb-curves nb-curves-ahead">
              {curves.map(({ key, look, d, mean }) => (
                <path key={key} d={d} stroke={look.colour} class={mean ? 'nb-mean' : ''} />
              ))}
            </g>
            <g class="nb-curves" clip-path={`url(#${id}-gone)`}>
              {curves.map(({ key, look, d, mean }) => (
                <path
                  key={key}
                  d={d}
                  stroke={look.colour}
                  stroke-dasharray={look.dash.join(' ')}
                  class={mean ? 'nb-mean' : ''}
                />
              ))}
            </g>
            <g class="nb-cursor">
              <line y2={HEIGHT} />
              <rect x={-9} y={-TOP} width={18} height={HEIGHT + TOP} />
            </g>
            <g class="nb-heads">
              {runs.map(({ set, run }) => {
                const look = lookOf(set.kind, dark);
                return <path key={run.key} d={look.marker} fill={look.colour} />;
              })}
            </g>
          </g>
        </svg>
      )}
      {zero && <p class="nb-note">No regret left is drawn at the lower edge.</p>}
    </div>
  );
}
