/** A histogram for each column, brushed to a range: what fails one leaves the map. */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { brushX } from 'd3-brush';
import type { D3BrushEvent } from 'd3-brush';
import { select } from 'd3-selection';
import { useEffect, useRef } from 'preact/hooks';
import type { Values } from '../data/values';
import { figure, shown } from '../draw/scales';
import { ColumnSelect } from './ColumnSelect';
import { useExplorer } from './context';

const WIDTH = 240;
const HEIGHT = 44;

export function Filters() {
  const explorer = useExplorer();
  const names = explorer.shownFilters.value;
  void explorer.filtered.value;
  const any = explorer.filters.names.length > 0;
  return (
    <section class="nb-filters" aria-label="Filters">
      <header class="nb-row">
        <h2>Filters</h2>
        <button type="button" disabled={!any} onClick={() => explorer.clearFilters()}>
          Clear all
        </button>
      </header>
      {names.map((name) => (
        <FilterOf key={name} name={name} />
      ))}
      <ColumnSelect
        id="nb-add-filter"
        label="Add a filter"
        quiet
        value=""
        none="Add a filter…"
        without={names}
        onChoose={(name) => {
          if (name !== null) explorer.shownFilters.value = [...names, name];
        }}
      />
    </section>
  );
}

function FilterOf({ name }: { name: string }) {
  const explorer = useExplorer();
  const values = explorer.values(name).value;
  const column = values?.column ?? explorer.column(name);
  const drop = () => {
    explorer.filter(name, null);
    explorer.shownFilters.value = explorer.shownFilters.value.filter((other) => other !== name);
  };
  return (
    <div class="nb-filter" role="group" aria-label={`Filter by ${column.title}`} data-column={name}>
      <div class="nb-row">
        <h3>
          {column.title}
          {column.kind === 'predicted' && <span class="nb-predicted"> predicted</span>}
        </h3>
        <button
          type="button"
          class="nb-icon"
          aria-label={`Remove the filter by ${column.title}`}
          onClick={drop}
        >
          ×
        </button>
      </div>
      {values === null ? (
        <div class="nb-histogram" aria-busy="true" />
      ) : Number.isNaN(values.low) ? (
        <p class="nb-note">No cell has a value.</p>
      ) : (
        <Brushed values={values} />
      )}
    </div>
  );
}

function Brushed({ values }: { values: Values }) {
  const explorer = useExplorer();
  const { column } = values;
  const histogram = explorer.histogram(values);
  const { axis, bins, all } = histogram;
  const svg = useRef<SVGGElement>(null);
  const moving = useSignal(false);
  const counts = useComputed(() => {
    void explorer.filtered.value;
    return explorer.filters.histogram(column.name, bins);
  });
  const range = useComputed(() => {
    void explorer.filtered.value;
    return explorer.filters.range(column.name);
  });

  const brush = useRef(
    brushX<undefined>().extent([
      [0, 0],
      [WIDTH, HEIGHT],
    ]),
  );
  useEffect(() => {
    const group = select<SVGGElement, undefined>(svg.current!);
    brush.current
      .on('start', (event: D3BrushEvent<undefined>) => {
        if (event.sourceEvent) moving.value = true;
      })
      .on('brush end', (event: D3BrushEvent<undefined>) => {
        if (!event.sourceEvent) return;
        if (event.type === 'end') moving.value = false;
        const ends = event.selection as [number, number] | null;
        const next = ends === null ? null : rangeOf(values, axis, ends);
        explorer.filter(column.name, next);
      });
    group.call(brush.current);
    // Keyboard and screen readers have the two fields of numbers below.
    group.selectAll('rect').attr('tabindex', null);
  }, [values]);
  // A range that was set elsewhere (a field, the address, a question) moves the brush.
  useSignalEffect(() => {
    const now = range.value;
    if (moving.peek() || svg.current === null) return;
    const place = (value: number) =>
      Math.max(0, Math.min(WIDTH, (axis.position(value) || 0) * WIDTH));
    select<SVGGElement, undefined>(svg.current).call((group) =>
      brush.current.move(group, now === null ? null : [place(now[0]), place(now[1])]),
    );
  });

  const most = all.reduce((a, b) => Math.max(a, b), 1);
  // Roots of counts, so that rare values can be seen beside common ones.
  const height = (count: number) =>
    count === 0 ? 0 : Math.max(1, HEIGHT * Math.sqrt(count / most));
  const bars = (of: Uint32Array) => {
    const wide = WIDTH / bins.count;
    let path = '';
    of.forEach((count, bin) => {
      if (count === 0) return;
      const gap = wide > 6 ? 1 : 0;
      path += `M${(bin * wide + gap).toFixed(2)} ${HEIGHT}v${(-height(count)).toFixed(2)}h${(wide - gap).toFixed(2)}V${HEIGHT}z`;
    });
    return path;
  };
  const ends = range.value;
  return (
    <>
      <svg
        class="nb-histogram"
        viewBox={`0 0 ${WIDTH} ${HEIGHT + 1}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Cells by ${column.title}, from ${shown(column, values.low)} to ${shown(column, values.high)}`}
      >
        <path class="nb-bars-all" d={bars(all)} />
        <path class="nb-bars" d={bars(counts.value)} />
        <g ref={svg} class="nb-brush" />
      </svg>
      <div class="nb-range">
        <RangeEnd which={0} label="from" values={values} ends={ends} />
        <RangeEnd which={1} label="to" values={values} ends={ends} />
      </div>
    </>
  );
}

interface RangeEndProps {
  which: 0 | 1;
  label: string;
  values: Values;
  ends: readonly [number, number] | null;
}

/** One end of a range as a number that can be typed; empty is the column's own end. */
function RangeEnd({ which, label, values, ends }: RangeEndProps) {
  const explorer = useExplorer();
  const { column } = values;
  const own = which === 0 ? values.low : values.high;
  const now = ends?.[which] ?? own;
  const set = (text: string) => {
    // What stands there is rounded: typed again, it is the end itself.
    const same = text.trim() === '' || text.trim() === figure(column, own);
    const typed = same ? own : typedNumber(text) / column.factor;
    if (!Number.isFinite(typed)) {
      explorer.notice.value = `${text.trim()} is no number.`;
      return;
    }
    explorer.notice.value = null;
    const next: [number, number] = ends === null ? [values.low, values.high] : [ends[0], ends[1]];
    next[which] = typed;
    if (next[0] > next[1]) next[1 - which] = typed;
    const whole = next[0] <= values.low && next[1] >= values.high && values.missing === 0;
    explorer.filter(column.name, whole ? null : next);
  };
  return (
    <label>
      <span>{label}</span>
      <input
        inputMode="decimal"
        aria-label={`${column.title}, ${label}${column.unit === '' ? '' : ` (${column.unit})`}`}
        value={figure(column, now)}
        onChange={(event) => {
          const field = event.currentTarget;
          set(field.value);
          // What holds now, also where nothing has changed.
          field.value = figure(column, explorer.filters.range(column.name)?.[which] ?? own);
        }}
      />
      <span class="nb-unit">{column.unit}</span>
    </label>
  );
}

/** A number as people write it, with commas between thousands; NaN where it is none. */
function typedNumber(text: string): number {
  const plain = text.replace(/[\s%]/g, '');
  return Number(/^-?\d{1,3}(,\d{3})+(\.|$)/.test(plain) ? plain.replaceAll(',', '') : plain || NaN);
}

/** The numbers that a brush covers; whole ones for integers. */
function rangeOf(
  values: Values,
  axis: { value: (position: number) => number },
  ends: readonly [number, number],
): [number, number] | null {
  let [low, high] = [axis.value(ends[0] / WIDTH), axis.value(ends[1] / WIDTH)];
  if (ends[0] <= 0) low = Math.min(low, values.low);
  if (ends[1] >= WIDTH) high = Math.max(high, values.high);
  if (values.column.integer) [low, high] = [Math.ceil(low), Math.floor(high)];
  if (low > high) high = low;
  return [low, high];
}
