/**
 * Searches on the map, up to the moment that is replayed.
 *
 * They are drawn on a canvas of their own: while a replay runs, nothing else of the map is drawn.
 */
import type { RefObject } from 'preact';
import { useComputed, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { NO_ROW } from '../contract';
import { duration } from '../draw/duration';
import { lookOf } from '../draw/kinds';
import { paintTraces } from '../draw/traces';
import type { View } from '../draw/surface';
import type { PlacedTrace } from '../draw/traces';
import { replayOf } from '../state/replay';
import { useShared } from './context';
import './replay.css';
import { theme } from './theme';

interface Props {
  left: number;
  top: number;
  width: number;
  height: number;
}

export function TraceOverlay({ left, top, width, height }: Props) {
  const { explorer, scene } = useShared();
  const replay = replayOf(explorer);
  const canvas = useRef<HTMLCanvasElement>(null);
  const visible = replay.visible.value;

  // Where queries are on the axes: once for each choice of axes and runs.
  const placed = useComputed<readonly PlacedTrace[]>(() => {
    if (!replay.visible.value) return [];
    const dark = theme.value === 'dark';
    return replay.runs.value.map(({ set, trace }) => {
      const u = new Float32Array(trace.queries).fill(NaN);
      const v = new Float32Array(trace.queries).fill(NaN);
      trace.row.forEach((row, query) => {
        const place = row === NO_ROW ? null : scene.place(row);
        if (place !== null) [u[query], v[query]] = place;
      });
      return { trace, u, v, look: lookOf(set.kind, dark) };
    });
  });

  const ground = useRef({ background: '', ink: '' });
  const paint = (runs: readonly PlacedTrace[], seconds: number, view: View) => {
    const on = canvas.current?.getContext('2d');
    if (!on || width === 0) return;
    const ratio = on.canvas.width / width;
    on.setTransform(ratio, 0, 0, ratio, 0, 0);
    on.clearRect(0, 0, width, height);
    if (runs.length === 0) return;
    paintTraces(on, runs, seconds, view, { width, height, ...ground.current });
    on.canvas.dataset.frames = String(Number(on.canvas.dataset.frames ?? 0) + 1);
  };
  const latest = useRef(paint);
  latest.current = paint;
  useEffect(() => {
    const ratio = Math.min(2, devicePixelRatio || 1);
    canvas.current!.width = Math.round(width * ratio);
    canvas.current!.height = Math.round(height * ratio);
    const style = getComputedStyle(canvas.current!);
    ground.current = {
      background: style.getPropertyValue('--nb-map').trim(),
      ink: style.getPropertyValue('--nb-ink').trim(),
    };
    paint(placed.peek(), replay.now.peek(), explorer.seen.peek());
  }, [width, height, theme.value]);
  useSignalEffect(() => {
    latest.current(placed.value, replay.now.value, explorer.seen.value);
  });
  useSpace(canvas);

  return (
    <>
      <canvas
        ref={canvas}
        class="nb-traces"
        aria-hidden="true"
        hidden={!visible}
        style={{ left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` }}
      />
      {visible && <Strip left={left} />}
    </>
  );
}

/** Beside the points, since on a phone the rest stands on another page. */
function Strip({ left }: { left: number }) {
  const replay = replayOf(useShared().explorer);
  const playing = replay.playing.value;
  return (
    <div class="nb-replay-strip" style={{ left: `${left + 8}px` }}>
      <button
        type="button"
        aria-label={playing ? 'Pause the replay' : 'Play the replay'}
        onClick={() => replay.playOrPause()}
      >
        {playing ? '❚❚' : '▶'}
      </button>
      <span>
        <span class="nb-quiet">Searches </span>at {duration(replay.told.value)}
      </span>
      <button
        type="button"
        aria-label="Take the searches off the map"
        title="Take the searches off the map"
        onClick={() => {
          replay.pause();
          replay.off.value = true;
        }}
      >
        ×
      </button>
    </div>
  );
}

const OWN_KEYS = 'button, input:not([type="range"]), select, textarea, summary, a, [role="tab"]';

/** Space plays and pauses wherever it means nothing else. */
function useSpace(within: RefObject<Element | null>): void {
  const { explorer } = useShared();
  const replay = replayOf(explorer);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key !== ' ' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.defaultPrevented || !replay.visible.peek()) return;
      // Out of a shadow root, where a notebook may have put the view.
      const target = event.composedPath()[0];
      if (!(target instanceof Element) || target.closest(OWN_KEYS) !== null) return;
      // In a notebook there are others on the page, other views too, whose keys these are.
      const page = target === document.body && document.getElementById('app') !== null;
      if (!page && target.closest('.nb101') !== within.current?.closest('.nb101')) return;
      event.preventDefault();
      replay.playOrPause();
    };
    // On the way down, as other keys are: see `keys.ts`.
    document.addEventListener('keydown', key, true);
    return () => document.removeEventListener('keydown', key, true);
  }, [replay]);
}
