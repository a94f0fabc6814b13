/** Validation accuracies of a campaign's runs in the order in which they finished. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Column } from '../contract';
import { budgetsOf, records } from '../data/campaign';
import type { CampaignRun } from '../data/campaign';
import { AxisView } from '../draw/axes';
import { lookOf } from '../draw/kinds';
import { axisBetween, shown } from '../draw/scales';
import { COUNT } from '../state/written';
import { theme } from './theme';

const LEFT = 52;
const RIGHT = 8;
const TOP = 6;
const BOTTOM = 44;
const HEIGHT = 150;

export function CampaignChart({ runs, column }: { runs: readonly CampaignRun[]; column: Column }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const box = frame.current!;
    const observer = new ResizeObserver(() => {
      width.value = Math.max(80, Math.floor(box.clientWidth) - LEFT - RIGHT);
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  const wide = width.value;
  const dark = theme.value === 'dark';
  let [low, high] = [Infinity, -Infinity];
  for (const { validation } of runs) {
    if (validation < low) low = validation;
    if (validation > high) high = validation;
  }
  if (low > high) return <div ref={frame} />;
  const room = (high - low) * 0.06 || 0.01;
  const x = axisBetween(0.5, Math.max(runs.length, 2) + 0.5, 'linear');
  const y = axisBetween(low - room, high + room, 'linear');
  const at = (order: number, value: number): [number, number] => [
    Math.round(x.position(order + 1) * wide * 2) / 2,
    Math.round((1 - y.position(value)) * HEIGHT * 2) / 2,
  ];
  const budgets = budgetsOf(runs);
  const dots = budgets.map((epochs) => {
    // What lies on the same half pixel is drawn once.
    const places = new Set<string>();
    runs.forEach((run, order) => {
      if (run.epochs === epochs && Number.isFinite(run.validation)) {
        places.add(`M${at(order, run.validation).join(' ')}h0`);
      }
    });
    return [...places].join('');
  });
  const steps = records(runs).map(({ order, value }, step) => {
    const [px, py] = at(order, value);
    return step === 0 ? `M${px} ${py}` : `H${px}V${py}`;
  });
  return (
    <div ref={frame} class="nb-regret">
      {wide > 0 && (
        <svg
          width={LEFT + wide + RIGHT}
          height={TOP + HEIGHT + BOTTOM}
          role="img"
          aria-label={`Validation accuracies of ${runs.length.toLocaleString('en')} runs in the order in which they finished: ${shown(column, low)} to ${shown(column, high)}`}
        >
          <g transform={`translate(${LEFT} ${TOP})`}>
            <AxisView
              side="bottom"
              axis={x}
              column={COUNT}
              from={0}
              to={1}
              width={wide}
              height={HEIGHT}
            />
            <AxisView
              side="left"
              axis={y}
              column={column}
              from={0}
              to={1}
              width={wide}
              height={HEIGHT}
            />
            <path class="nb-records" d={`${steps.join('')}H${wide}`} />
            {dots.map((d, kind) => (
              <path
                key={budgets[kind]}
                class="nb-dots"
                d={d}
                stroke={lookOf(kind, dark).colour}
                stroke-width={runs.length > 400 ? 3 : 5}
                stroke-linecap={kind % 2 === 0 ? 'round' : 'square'}
              />
            ))}
          </g>
        </svg>
      )}
      <p class="nb-note nb-budgets">
        {budgets.length > 1 &&
          budgets.map((epochs, kind) => (
            <span key={epochs}>
              <i
                style={{
                  background: lookOf(kind, dark).colour,
                  borderRadius: kind % 2 === 0 ? '50%' : '0',
                }}
              />
              {epochs} epochs
            </span>
          ))}
        <span>line: the best so far</span>
      </p>
    </div>
  );
}
