/** The replay: what is shown at first, its clock, and its part of the address. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LENGTH, MOST, replayOf } from '../../src/state/replay';
import { bytesOf, explorerOf, setOf } from '../data/made';

const read = () => bytesOf([100, 200, 1000], [0.5, 0.6, 0.7], [0.3, 0.2, 0.1], [1, 2, 3]);

/** Frames are asked for by hand. */
let frames: ((stamp: number) => void)[] = [];
beforeEach(() => {
  frames = [];
  vi.stubGlobal('requestAnimationFrame', (next: (stamp: number) => void) => frames.push(next));
  vi.stubGlobal('cancelAnimationFrame', () => (frames = []));
});
const frame = (stamp: number) => frames.shift()?.(stamp);

async function made(sets = [setOf('a', 3), setOf('b', 2)], from = read) {
  const all = explorerOf(sets, from);
  const replay = replayOf(all.explorer);
  expect(replay.runs.value).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve));
  return { ...all, replay };
}

describe('what is shown', () => {
  it('is the first run of each, one replay for each explorer', async () => {
    const { replay, explorer } = await made();
    expect(replayOf(explorer)).toBe(replay);
    expect(replay.runs.value.map(({ run }) => run.key)).toEqual(['a:0', 'b:0']);
    expect(replay.axis.value.high).toBe(1000);
    expect(replay.now.value).toBe(1000);
  });

  it('is twelve at most', async () => {
    const sets = Array.from({ length: 15 }, (_, at) => setOf(`s${at}`, 1));
    const { replay, explorer } = await made(sets);
    expect(replay.shown.value.size).toBe(MOST);
    replay.toggle('s14:0');
    expect(replay.shown.value.size).toBe(MOST);
    expect(explorer.notice.value).toContain('take one out first');
  });

  it('tells algorithms of two folders apart', async () => {
    const { replay } = await made([setOf('a', 1, 'one'), setOf('a', 1, 'two')]);
    expect(replay.sets.map(({ key, title }) => [key, title])).toEqual([
      ['a', 'A (one)'],
      ['a~2', 'A (two)'],
    ]);
  });

  it('goes and comes by algorithm and by run', async () => {
    const { replay } = await made();
    replay.toggle('a:2');
    replay.toggleSet(replay.sets[1]);
    expect([...replay.shown.value]).toEqual(['a:0', 'a:2']);
    replay.toggleSet(replay.sets[0]);
    replay.toggleSet(replay.sets[1]);
    expect([...replay.shown.value]).toEqual(['b:0']);
  });

  it('says which run cannot be read', async () => {
    const { replay, explorer } = await made([setOf('a', 1)], () => new ArrayBuffer(3));
    expect(replay.runs.value).toEqual([]);
    expect(explorer.notice.value).toMatch(/^Run 0 of A cannot be read: .*3 bytes/);
    replay.play();
    replay.advance(1000);
    expect(replay.playing.value).toBe(true);
  });

  it('has means of algorithms once all their runs are read', async () => {
    const { replay } = await made();
    expect(replay.meanOf.value).toEqual([]);
    replay.means.value = true;
    expect(replay.meanOf.value).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve));
    expect(replay.meanOf.value.map(({ traces }) => traces.length)).toEqual([3, 2]);
  });
});

describe('the clock', () => {
  it('goes by real time, whatever the frames', async () => {
    const { replay } = await made();
    for (const gaps of [Array<number>(100).fill(10), Array<number>(5).fill(200)]) {
      replay.seek(0);
      replay.play();
      let stamp = 5000;
      frame(stamp);
      for (const gap of gaps) frame((stamp += gap));
      expect(replay.now.value).toBeCloseTo(1000 / LENGTH, 6);
      replay.pause();
    }
  });

  it('does not jump after a page was hidden', async () => {
    const { replay } = await made();
    replay.play();
    frame(0);
    frame(60000);
    expect(replay.now.value).toBeLessThan(10);
  });

  it('stops at the end, and begins again from there', async () => {
    const { replay } = await made();
    replay.play();
    expect(replay.now.value).toBe(0);
    replay.advance(LENGTH * 1001);
    expect([replay.playing.value, replay.now.value]).toEqual([false, 1000]);
  });

  it('goes evenly along the axis that is shown', async () => {
    const { replay } = await made();
    replay.scale.value = 'log';
    replay.speed.value = 10;
    replay.play();
    replay.advance((LENGTH * 1000) / 20);
    expect(replay.now.value).toBeCloseTo(Math.sqrt(100 * 1000));
  });

  it('steps to queries and to the ends', async () => {
    const { replay } = await made();
    replay.seek(0);
    const seen = [0, 1, 2, 3].map(() => {
      replay.step(1);
      return replay.now.value;
    });
    expect(seen).toEqual([100, 200, 1000, 1000]);
    replay.step(-1);
    expect(replay.now.value).toBe(200);
    replay.seekShare(0.5);
    expect(replay.now.value).toBe(500);
    replay.seekShare(0);
    replay.step(-1);
    expect(replay.now.value).toBe(0);
  });

  it('ends with the explorer', async () => {
    const { replay, stops } = await made();
    replay.play();
    for (const stop of stops) stop();
    expect([replay.playing.value, frames.length]).toEqual([false, 0]);
  });
});

describe('the address', () => {
  it('says nothing where all is as at first', async () => {
    const { replay, made: explorer } = await made();
    expect(replay.part.read()).toBeNull();
    explorer.panel.value = 'searches';
    expect([replay.visible.value, replay.part.read()]).toEqual([true, null]);
  });

  it('holds runs, time, scale, means and speed', async () => {
    const { replay } = await made();
    replay.opened.value = true;
    replay.toggle('a:2');
    replay.seek(250);
    replay.scale.value = 'log';
    replay.means.value = true;
    replay.speed.value = 5;
    const text = replay.part.read()!;
    expect(text).toBe('a:0,2;b:0|250|log,means,5x');
    const other = (await made()).replay;
    other.part.write(text);
    expect(other.part.read()).toBe(text);
    expect(other.now.value).toBe(250);
    other.part.write(null);
    expect(other.part.read()).toBeNull();
    expect(other.time.value).toBe(Infinity);
  });

  it('is the same for what is opened but usual, shows none, and is off', async () => {
    const { replay } = await made();
    replay.opened.value = true;
    const opened = replay.part.read()!;
    expect(opened).not.toBe('');
    const other = (await made()).replay;
    other.part.write(opened);
    expect([other.visible.value, other.part.read()]).toEqual([true, opened]);
    replay.shown.value = new Set();
    other.part.write(replay.part.read());
    expect(other.shown.value.size).toBe(0);
    other.off.value = true;
    replay.part.write(other.part.read());
    expect([replay.visible.value, replay.off.value]).toEqual([false, true]);
  });

  it('does not change while the time runs', async () => {
    const { replay } = await made();
    replay.seek(100);
    replay.play();
    const text = replay.part.read();
    replay.advance(1000);
    expect(replay.part.read()).toBe(text);
    replay.pause();
    expect(replay.part.read()).not.toBe(text);
  });

  it.each(['x:9', 'a:0,77||', '|abc|', '|-4|', '||fast', 'a:0|5|log,3x', ':::|||;;,'])(
    'tells nonsense: %s',
    async (text) => {
      const { replay, explorer } = await made();
      replay.part.write(text);
      expect(explorer.notice.value).toMatch(/^Left out/);
      expect(replay.shown.value.size).toBeGreaterThan(0);
      expect(replay.now.value).toBeGreaterThanOrEqual(0);
    },
  );
});
