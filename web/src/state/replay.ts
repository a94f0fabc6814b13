/** Searches replayed: which runs are shown, the simulated time, and the clock that moves it. */
import { batch, computed, signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { TraceRun, TraceSet } from '../contract';
import { finished, nextQuery, queryBefore, readTrace, shareOf, timeAxis } from '../data/traces';
import type { Trace } from '../data/traces';
import type { Axis, ScaleKind } from '../draw/scales';
import type { Part } from './address';
import { sentence } from './explorer';
import type { Explorer } from './explorer';

/** The runs of an algorithm in a folder. */
export interface ReplaySet {
  /** Its name in the address. */
  readonly key: string;
  readonly title: string;
  /** Its number: looks go by it. */
  readonly kind: number;
  readonly of: TraceSet;
  readonly runs: readonly ReplayRun[];
}

export interface ReplayRun {
  /** Unique: the set's key and the number of the run. */
  readonly key: string;
  readonly set: number;
  readonly of: TraceRun;
}

/** A run that is shown and has been read. */
export interface ShownRun {
  readonly set: ReplaySet;
  readonly run: ReplayRun;
  readonly trace: Trace;
}

/** Runs that may be shown at once. */
export const MOST = 12;
/** Real seconds in which a replay is through at speed 1. */
export const LENGTH = 30;
export const SPEEDS: readonly number[] = [0.1, 0.25, 0.5, 1, 2, 5, 10];
/** Longest step of the clock, milliseconds: a page that was hidden goes on where it was. */
const LONGEST = 250;
/** Milliseconds between two numbers while it plays: faster ones are not read. */
const BEAT = 250;

export class Replay {
  readonly sets: readonly ReplaySet[];
  /** Keys of the runs that are shown. */
  readonly shown: Signal<ReadonlySet<string>>;
  /** Simulated seconds; Infinity is the end. */
  readonly time = signal(Infinity);
  readonly playing = signal(false);
  readonly speed = signal(1);
  readonly scale = signal<ScaleKind>('linear');
  /** Whether means over all runs of the shown algorithms are drawn too. */
  readonly means = signal(false);
  /** Not on the map, though it was opened. */
  readonly off = signal(false);
  /** It was looked at: it stays on the map when something else stands beside it. */
  readonly opened = signal(false);

  private readonly usual: ReadonlySet<string>;
  private readonly files = new Map<string, Signal<Trace | null>>();
  private readonly beat = signal(Infinity);
  private began = Infinity;
  private frame = 0;

  constructor(private readonly explorer: Explorer) {
    const { traces } = explorer.manifest;
    const seen = new Map<string, number>();
    this.sets = traces.map((of, kind) => {
      const before = seen.get(of.algorithm) ?? 0;
      seen.set(of.algorithm, before + 1);
      const key = before === 0 ? of.algorithm : `${of.algorithm}~${before + 1}`;
      const shared = traces.some((other) => other !== of && other.algorithm === of.algorithm);
      const runs = of.runs.map((run) => ({ key: `${key}:${run.run}`, set: kind, of: run }));
      return { key, title: shared ? `${of.title} (${of.folder})` : of.title, kind, of, runs };
    });
    this.usual = new Set(
      this.sets.flatMap((set) => set.runs.slice(0, 1).map((run) => run.key)).slice(0, MOST),
    );
    this.shown = signal(this.usual);
  }

  /** Whether searches are drawn on the map. */
  readonly visible: ReadonlySignal<boolean> = computed(
    () =>
      this.sets.length > 0 &&
      !this.off.value &&
      (this.opened.value || this.explorer.panel.value === 'searches'),
  );

  /** A run's trace, null until it is there. Read once. */
  trace(run: ReplayRun): ReadonlySignal<Trace | null> {
    let trace = this.files.get(run.key);
    if (trace !== undefined) return trace;
    trace = signal<Trace | null>(null);
    this.files.set(run.key, trace);
    void this.read(run, trace);
    return trace;
  }

  private async read(run: ReplayRun, into: Signal<Trace | null>): Promise<void> {
    try {
      const bytes = await this.explorer.source.bytes(run.of.file);
      into.value = readTrace(bytes, run.of.queries, run.of.file);
    } catch (error) {
      const { title } = this.sets[run.set];
      this.explorer.notice.value = `Run ${run.of.run} of ${title} cannot be read: ${sentence(error)}`;
    }
  }

  /** Runs that are shown and have been read, in order. */
  readonly runs: ReadonlySignal<readonly ShownRun[]> = computed(() =>
    this.sets.flatMap((set) =>
      set.runs.flatMap((run) => {
        if (!this.shown.value.has(run.key)) return [];
        const trace = this.trace(run).value;
        return trace === null ? [] : [{ set, run, trace }];
      }),
    ),
  );

  /** All runs of the algorithms that are shown, where means are drawn; those whose runs are all read. */
  readonly meanOf: ReadonlySignal<readonly { set: ReplaySet; traces: readonly Trace[] }[]> =
    computed(() => {
      if (!this.means.value) return [];
      return this.sets.flatMap((set) => {
        if (!set.runs.some((run) => this.shown.value.has(run.key))) return [];
        const traces = set.runs.map((run) => this.trace(run).value);
        const there = traces.filter((trace) => trace !== null);
        return there.length < traces.length ? [] : [{ set, traces: there }];
      });
    });

  private readonly traces = computed(() => this.runs.value.map(({ trace }) => trace));

  readonly axis: ReadonlySignal<Axis> = computed(() =>
    timeAxis(this.traces.value, this.scale.value),
  );

  /** Simulated seconds, at most the end. */
  readonly now: ReadonlySignal<number> = computed(() =>
    Math.min(this.time.value, this.axis.value.high),
  );

  /** The share of the time axis that has gone by. */
  readonly share: ReadonlySignal<number> = computed(() => shareOf(this.axis.value, this.now.value));

  /** The time that numbers are written for: it moves some times a second. */
  readonly told: ReadonlySignal<number> = computed(() =>
    this.playing.value ? Math.min(this.beat.value, this.axis.value.high) : this.now.value,
  );

  // What is shown ----------------------------------------------------------------------------------

  toggle(key: string): void {
    const next = new Set(this.shown.peek());
    if (next.has(key)) next.delete(key);
    else if (next.size < MOST) next.add(key);
    else {
      this.explorer.notice.value = `${MOST} runs are shown already: take one out first.`;
      return;
    }
    this.shown.value = next;
  }

  /** Take an algorithm out, or show its first run. */
  toggleSet(set: ReplaySet): void {
    const own = set.runs.filter((run) => this.shown.peek().has(run.key));
    if (own.length === 0) {
      if (set.runs.length > 0) this.toggle(set.runs[0].key);
      return;
    }
    const out = new Set(own.map((run) => run.key));
    this.shown.value = new Set([...this.shown.peek()].filter((key) => !out.has(key)));
  }

  // Time ---------------------------------------------------------------------------------------------

  /** Go to a time; a clock that runs goes on from there. */
  seek(seconds: number): void {
    const { high } = this.axis.peek();
    batch(() => {
      this.time.value = seconds >= high ? Infinity : Math.max(0, seconds);
      this.beat.value = this.time.value;
    });
  }

  seekShare(share: number): void {
    const axis = this.axis.peek();
    if (share <= 0) this.seek(0);
    else this.seek(share >= 1 ? Infinity : axis.value(share));
  }

  /** To where the next query of any run ends, or the one before. */
  step(by: 1 | -1): void {
    this.pause();
    const [traces, now] = [this.traces.peek(), this.now.peek()];
    const next = by > 0 ? nextQuery(traces, now) : queryBefore(traces, now);
    if (next !== null) this.seek(next);
    else this.seek(by > 0 ? Infinity : 0);
  }

  /** From here to the end; from the beginning where it is at its end. */
  play(): void {
    if (this.playing.peek()) return;
    batch(() => {
      this.off.value = false;
      this.opened.value = true;
      if (this.time.peek() >= this.axis.peek().high) this.time.value = 0;
      this.began = this.time.peek();
      this.beat.value = this.began;
      this.playing.value = true;
    });
    let last = NaN;
    let told = -Infinity;
    const next = (stamp: number) => {
      if (!this.playing.peek()) return;
      const heard = stamp - told >= BEAT;
      if (heard) told = stamp;
      if (!Number.isNaN(last)) this.advance(Math.min(LONGEST, stamp - last), heard);
      last = stamp;
      if (this.playing.peek()) this.frame = requestAnimationFrame(next);
    };
    this.frame = requestAnimationFrame(next);
  }

  pause(): void {
    cancelAnimationFrame(this.frame);
    this.playing.value = false;
  }

  playOrPause(): void {
    if (this.playing.peek()) this.pause();
    else this.play();
  }

  /** Let real milliseconds go by: the time moves evenly along the axis that is shown. */
  advance(milliseconds: number, heard = true): void {
    // Before the runs are there it waits.
    if (this.runs.peek().length === 0) return;
    const share = this.share.peek() + (this.speed.peek() * milliseconds) / 1000 / LENGTH;
    batch(() => {
      this.time.value = share >= 1 ? Infinity : this.axis.peek().value(share);
      if (heard) this.beat.value = this.time.value;
      if (share >= 1) this.pause();
    });
  }

  /** Whether any query has ended. */
  get begun(): boolean {
    return this.traces.peek().some((trace) => finished(trace, this.now.peek()) > 0);
  }

  // The address --------------------------------------------------------------------------------------

  /** `replay=RUNS|TIME|FLAGS`: runs as `algorithm:0,1;other:0`, a time in seconds, what is chosen. */
  readonly part: Part = {
    key: 'replay',
    read: () => {
      if (this.off.value) return 'off';
      if (!this.visible.value) return null;
      // A time that runs is not written: the address would change with each frame.
      const time = this.playing.value ? this.began : this.time.value;
      const shown = this.shown.value;
      const flags = [
        ...(this.scale.value === 'log' ? ['log'] : []),
        ...(this.means.value ? ['means'] : []),
        ...(this.speed.value === 1 ? [] : [`${this.speed.value}x`]),
      ];
      const usual = same(shown, this.usual) && time === Infinity && flags.length === 0;
      if (usual && this.explorer.panel.value === 'searches') return null;
      const runs = same(shown, this.usual) ? '' : this.written(shown);
      return [runs, time === Infinity ? '' : String(Number(time.toPrecision(9))), flags.join(',')]
        .join('|')
        .replace(/\|+$/, '|');
    },
    write: (text) => {
      this.pause();
      const [runs = '', time = '', flags = ''] = (text ?? '').split('|');
      const known = new Set(this.sets.flatMap((set) => set.runs.map((run) => run.key)));
      const wanted = keysOf(runs === 'off' ? '' : runs);
      const shown = new Set(wanted.filter((key) => known.has(key)).slice(0, MOST));
      const seconds = time === '' ? Infinity : Number(time);
      const words = flags === '' ? [] : flags.split(',');
      const speed = SPEEDS.find((one) => words.includes(`${one}x`)) ?? 1;
      const good = words.every(
        (word) => word === 'log' || word === 'means' || word === `${speed}x`,
      );
      if (!good || !(seconds >= 0) || shown.size < Math.min(MOST, new Set(wanted).size)) {
        this.explorer.notice.value =
          'Left out, since these searches have it not: a part of the replay that the address names.';
      }
      batch(() => {
        this.off.value = runs === 'off';
        this.opened.value = text !== null && runs !== 'off';
        this.shown.value = shown.size > 0 ? shown : runs === 'none' ? new Set() : this.usual;
        this.time.value = seconds >= 0 ? seconds : Infinity;
        this.scale.value = words.includes('log') ? 'log' : 'linear';
        this.means.value = words.includes('means');
        this.speed.value = speed;
      });
    },
  };

  private written(shown: ReadonlySet<string>): string {
    if (shown.size === 0) return 'none';
    return this.sets
      .flatMap((set) => {
        const runs = set.runs.filter((run) => shown.has(run.key)).map((run) => run.of.run);
        return runs.length > 0 ? [`${set.key}:${runs.join(',')}`] : [];
      })
      .join(';');
  }
}

function keysOf(text: string): string[] {
  if (text === '' || text === 'none') return [];
  return text.split(';').flatMap((one) => {
    const at = one.lastIndexOf(':');
    const name = one.slice(0, at);
    return one
      .slice(at + 1)
      .split(',')
      .map((run) => `${name}:${run}`);
  });
}

function same(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((key) => other.has(key));
}

const replays = new WeakMap<Explorer, Replay>();

/** The replay of an explorer: one, made when first asked for. */
export function replayOf(explorer: Explorer): Replay {
  let replay = replays.get(explorer);
  if (replay === undefined) {
    const made = new Replay(explorer);
    replay = made;
    replays.set(explorer, made);
    explorer.onDestroy(() => made.pause());
  }
  return replay;
}
