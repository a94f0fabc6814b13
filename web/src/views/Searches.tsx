/** Searches replayed over simulated time: which, when, how fast, and how good each is by then. */
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { NO_ROW } from '../contract';
import { momentAt } from '../data/traces';
import { duration, timeFigure, unitFor } from '../draw/duration';
import { lookOf } from '../draw/kinds';
import { figure, shown } from '../draw/scales';
import { LENGTH, SPEEDS, replayOf } from '../state/replay';
import type { Replay, ReplaySet } from '../state/replay';
import { accuracyColumn, kindOfSearches, regretColumn } from '../state/written';
import { useExplorer } from './context';
import { RegretChart } from './RegretChart';
import './replay.css';
import { theme } from './theme';

/** Positions of the slider. */
const FINE = 1000;

export function Searches() {
  const explorer = useExplorer();
  const replay = replayOf(explorer);
  useEffect(() => {
    replay.opened.value = true;
  }, [replay]);
  const kind = kindOfSearches(explorer.manifest);
  return (
    <div class="nb-searches">
      <Transport replay={replay} />
      <RegretChart />
      <Choices replay={replay} />
      <Moments replay={replay} />
      <p class="nb-note">
        Simulated time is what the training of the cells that were asked for would have taken.
        {kind === 'predicted' && ' The accuracies of this table are predicted.'}
        {kind === 'unknown' &&
          ' Some of these searches were of another table than the one shown, or it is not said whether theirs was measured.'}
      </p>
    </div>
  );
}

function Transport({ replay }: { replay: Replay }) {
  const slider = useRef<HTMLInputElement>(null);
  useSignalEffect(() => {
    const at = String(Math.round(replay.share.value * FINE));
    if (slider.current !== null && slider.current.value !== at) slider.current.value = at;
  });
  const playing = replay.playing.value;
  const end = replay.axis.value.high;
  const unit = unitFor(end);
  const told = replay.told.value;
  const says = `${timeFigure(told, unit)} of ${duration(end, unit)}`;
  return (
    <div class="nb-transport" role="group" aria-label="Replay">
      <div class="nb-buttons">
        <button
          type="button"
          aria-label="To the start"
          title="To the start"
          onClick={() => replay.seek(0)}
        >
          ⇤
        </button>
        <button
          type="button"
          aria-label="The query before"
          title="To where the query before ended"
          onClick={() => replay.step(-1)}
        >
          ‹
        </button>
        <button
          type="button"
          class="nb-play"
          aria-keyshortcuts="Space"
          title="Space"
          onClick={() => replay.playOrPause()}
        >
          {playing ? '❚❚ Pause' : '▶ Play'}
        </button>
        <button
          type="button"
          aria-label="The next query"
          title="To where the next query of the fastest ends"
          onClick={() => replay.step(1)}
        >
          ›
        </button>
        <button
          type="button"
          aria-label="To the end"
          title="To the end"
          onClick={() => {
            replay.pause();
            replay.seek(Infinity);
          }}
        >
          ⇥
        </button>
      </div>
      <span class="nb-buttons" role="group" aria-label="Time axis">
        {(['linear', 'log'] as const).map((scale) => (
          <button
            key={scale}
            type="button"
            class="nb-scale"
            aria-label={`${scale === 'log' ? 'Logarithmic' : 'Linear'} time`}
            aria-pressed={replay.scale.value === scale}
            onClick={() => (replay.scale.value = scale)}
          >
            {scale}
          </button>
        ))}
      </span>
      <input
        ref={slider}
        type="range"
        min={0}
        max={FINE}
        step={1}
        aria-label="Simulated time"
        aria-valuetext={says}
        onInput={(event) => replay.seekShare(Number(event.currentTarget.value) / FINE)}
      />
      <div class="nb-row">
        <output data-seconds={told} aria-live={playing ? 'off' : 'polite'}>
          {says}
        </output>
        <label class="nb-speed">
          <span class="nb-quiet">Speed: simulated time that goes by in a second</span>
          <select
            value={String(replay.speed.value)}
            onChange={(event) => (replay.speed.value = Number(event.currentTarget.value))}
          >
            {SPEEDS.map((speed) => (
              <option key={speed} value={String(speed)}>
                {speed}×: {pace(replay, speed)}
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  );
}

const SHORT = { minutes: 'min', hours: 'h', days: 'd' } as const;

/** What goes by in a second. */
function pace(replay: Replay, speed: number): string {
  const axis = replay.axis.value;
  if (axis.kind === 'log') {
    const factor = (axis.high / axis.low) ** (speed / LENGTH);
    return `time ×${factor.toFixed(2)}/s`;
  }
  const seconds = (axis.high * speed) / LENGTH;
  const unit = unitFor(seconds);
  return `${timeFigure(seconds, unit)} ${SHORT[unit]}/s`;
}

function Swatch({ kind }: { kind: number }) {
  const look = lookOf(kind, theme.value === 'dark');
  return (
    <svg class="nb-swatch" width={34} height={14} viewBox="-17 -7 34 14" aria-hidden="true">
      <path d="M-17 0H17" stroke={look.colour} stroke-dasharray={look.dash.join(' ')} />
      <path d={look.marker} fill={look.colour} transform="scale(0.8)" />
    </svg>
  );
}

function Choices({ replay }: { replay: Replay }) {
  const several = replay.sets.some((set) => set.runs.length > 1);
  return (
    <fieldset class="nb-choices">
      <legend>Algorithms and their runs</legend>
      <ul>
        {replay.sets.map((set) => (
          <Choice key={set.key} replay={replay} set={set} />
        ))}
      </ul>
      {several && (
        <label class="nb-check">
          <input
            type="checkbox"
            checked={replay.means.value}
            onChange={(event) => (replay.means.value = event.currentTarget.checked)}
          />
          Means over all runs, as thick lines
        </label>
      )}
      <label class="nb-check">
        <input
          type="checkbox"
          checked={replay.visible.value}
          onChange={(event) => (replay.off.value = !event.currentTarget.checked)}
        />
        On the map: the last 60 cells of each, and the path of its best
      </label>
    </fieldset>
  );
}

function Choice({ replay, set }: { replay: Replay; set: ReplaySet }) {
  const box = useRef<HTMLInputElement>(null);
  const own = set.runs.filter((run) => replay.shown.value.has(run.key)).length;
  useEffect(() => {
    box.current!.indeterminate = own > 0 && own < set.runs.length;
  }, [own]);
  return (
    <li>
      <label class="nb-check">
        <input ref={box} type="checkbox" checked={own > 0} onChange={() => replay.toggleSet(set)} />
        <Swatch kind={set.kind} />
        {set.title}
      </label>
      {set.runs.length > 1 && (
        <details>
          <summary aria-label={`Runs of ${set.title}`}>
            {own} of {set.runs.length} runs
          </summary>
          <div class="nb-runs">
            {set.runs.map((run) => (
              <label key={run.key} class="nb-check">
                <input
                  type="checkbox"
                  aria-label={`Run ${run.of.run} of ${set.title}`}
                  checked={replay.shown.value.has(run.key)}
                  onChange={() => replay.toggle(run.key)}
                />
                {run.of.run}
              </label>
            ))}
          </div>
        </details>
      )}
    </li>
  );
}

/** Where each run is: for those who see no curves, and for the way to its cell. */
function Moments({ replay }: { replay: Replay }) {
  const explorer = useExplorer();
  const { manifest } = explorer;
  const told = replay.told.value;
  const unit = unitFor(replay.axis.value.high);
  const kind = kindOfSearches(manifest);
  const [accuracy, regret] = [accuracyColumn('validation accuracy', kind), regretColumn(manifest)];
  const said = kind === 'predicted' ? 'predicted ' : '';
  const runs = replay.runs.value;
  return (
    <table class="nb-moments">
      <caption>
        {runs.length === 0 ? 'No run is shown' : `The best of each run at ${duration(told, unit)}`}
      </caption>
      <thead>
        <tr>
          <th scope="col">run</th>
          <th scope="col" title={`When its last query ended, ${unit}`}>
            {unit}
          </th>
          <th scope="col">queries</th>
          <th scope="col" title={`${said}validation accuracy of the best, %`}>
            {said}accuracy, %
          </th>
          <th scope="col" title={`${said}test regret of the best, percentage points`}>
            {said}regret, pp
          </th>
          <th scope="col">cell</th>
        </tr>
      </thead>
      {replay.sets.map((set) => {
        const own = runs.filter((run) => run.set === set);
        if (own.length === 0) return null;
        return (
          <tbody key={set.key}>
            <tr>
              <th scope="rowgroup" colSpan={6}>
                <Swatch kind={set.kind} /> {set.title}
              </th>
            </tr>
            {own.map(({ run, trace }) => {
              const now = momentAt(trace, told);
              const row = now.incumbent < 0 ? NO_ROW : trace.row[now.incumbent];
              return (
                <tr key={run.key} data-run={run.key}>
                  <th scope="row">{run.of.run}</th>
                  <td>{timeFigure(now.seconds, unit)}</td>
                  <td data-queries={now.queries}>{now.queries.toLocaleString('en')}</td>
                  <td data-accuracy={now.accuracy} title={shown(accuracy, now.accuracy)}>
                    {figure(accuracy, now.accuracy)}
                  </td>
                  <td data-regret={now.regret} title={shown(regret, now.regret)}>
                    {figure(regret, now.regret)}
                  </td>
                  <td>
                    {now.incumbent < 0 ? (
                      '–'
                    ) : row === NO_ROW ? (
                      <span title="This cell is not in the table that is shown">none</span>
                    ) : (
                      <button
                        type="button"
                        class="nb-link"
                        aria-label={`Take cell ${explorer.id(row)}, the best of run ${run.of.run} of ${set.title}`}
                        onClick={() => explorer.takeRow(row)}
                      >
                        {explorer.id(row)}
                      </button>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        );
      })}
    </table>
  );
}
