/** A campaign followed: what is read, when it is read again, and when no more. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CampaignState } from '../../src/contract';
import { budgetsOf, finishedRows, readCampaign, records } from '../../src/data/campaign';
import { EVERY, campaignOf } from '../../src/state/campaign';
import { explorerOf, fileOf } from '../data/made';

const COLUMNS = [
  'row',
  'epochs',
  'repeat',
  'validation_accuracy',
  'test_accuracy',
  'training_time',
];
const state = (runs: unknown[][], done = false): CampaignState => ({
  total: 10,
  counts: { finished: runs.length, running: 1, failed: 0, waiting: 9 - runs.length },
  columns: COLUMNS,
  runs: runs as number[][],
  done,
});

describe('its file', () => {
  it('is read by the names of its columns', () => {
    const said = { ...state([[0.5, 7, 4]]), columns: ['validation_accuracy', 'row', 'epochs'] };
    expect(() => readCampaign(JSON.stringify(said))).toThrow('not what this page reads');
    const shuffled = {
      ...said,
      columns: [...said.columns, 'repeat', 'test_accuracy', 'training_time'],
    };
    const [run] = readCampaign(JSON.stringify(shuffled)).runs;
    expect([run.row, run.epochs, run.validation, run.test]).toEqual([7, 4, 0.5, NaN]);
  });
  it.each(['', '{"total": 3', 'null', '[]', '{"total": 3, "counts": null}'])(
    'is refused with a sentence: %s',
    (text) => expect(() => readCampaign(text)).toThrow('what is said of the campaign'),
  );
  it('gives rows, records and budgets', () => {
    const { runs } = readCampaign(
      JSON.stringify(
        state([
          [3, 12, 0, 0.5, 0.4, 10],
          [-1, 4, 0, null, null, 10],
          [5, 4, 0, 0.6, 0.4, 10],
          [3, 4, 1, 0.55, 0.4, 10],
          [999, 4, 1, 0.55, 0.4, 10],
        ]),
      ),
    );
    expect([...finishedRows(runs, 100)]).toEqual([3, 5]);
    expect(records(runs)).toEqual([
      { order: 0, value: 0.5 },
      { order: 2, value: 0.6 },
    ]);
    expect(budgetsOf(runs)).toEqual([4, 12]);
  });
});

describe('following', () => {
  let hidden = false;
  let seen: () => void = () => undefined;
  beforeEach(() => {
    hidden = false;
    vi.useFakeTimers();
    vi.stubGlobal('document', {
      get hidden() {
        return hidden;
      },
      addEventListener: (_: string, listener: () => void) => (seen = listener),
      removeEventListener: () => (seen = () => undefined),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  function followed(live = true) {
    let answer: CampaignState | string = state([[3, 4, 0, 0.5, 0.4, 10]]);
    const read = vi.fn(() => {
      if (typeof answer === 'string') throw new Error(answer);
      return fileOf(answer);
    });
    const all = explorerOf([], read, { title: 'c', file: 'campaign.json', live });
    const following = campaignOf(all.explorer);
    return { ...all, following, read, say: (next: CampaignState | string) => (answer = next) };
  }

  it('looks every two seconds, marks cells, and stops when done', async () => {
    const { following, explorer, read, say } = followed();
    following.begin();
    following.begin();
    await vi.advanceTimersByTimeAsync(1);
    expect([...explorer.highlighted.value]).toEqual([3]);
    say(
      state(
        [
          [3, 4, 0, 0.5, 0.4, 10],
          [8, 4, 0, 0.5, 0.4, 10],
        ],
        true,
      ),
    );
    await vi.advanceTimersByTimeAsync(EVERY);
    expect([...explorer.highlighted.value]).toEqual([8, 3]);
    expect(following.live.value).toBe(false);
    await vi.advanceTimersByTimeAsync(EVERY * 5);
    expect(read).toHaveBeenCalledTimes(2);
    following.marked.value = false;
    expect(explorer.highlighted.value).toHaveLength(0);
  });

  it('says what went wrong, and goes on', async () => {
    const { following, say } = followed();
    following.begin();
    await vi.advanceTimersByTimeAsync(1);
    say('Nobody answers');
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(following.trouble.value).toBe('Nobody answers');
    expect(following.now.value?.runs).toHaveLength(1);
    say(state([]));
    await vi.advanceTimersByTimeAsync(EVERY);
    expect([following.trouble.value, following.now.value?.runs]).toEqual([null, []]);
  });

  it('goes on too where the first look fails', async () => {
    const { following, say } = followed();
    say('Nobody answers');
    following.begin();
    await vi.advanceTimersByTimeAsync(1);
    say(state([]));
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(following.now.value?.total).toBe(10);
  });

  it('rests while the page is hidden', async () => {
    const { following, read } = followed();
    following.begin();
    await vi.advanceTimersByTimeAsync(1);
    hidden = true;
    await vi.advanceTimersByTimeAsync(EVERY * 4);
    expect(read).toHaveBeenCalledTimes(1);
    hidden = false;
    seen();
    await vi.advanceTimersByTimeAsync(1);
    expect(read).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(read).toHaveBeenCalledTimes(3);
  });

  it('looks once at what is not live, and ends with the explorer', async () => {
    const still = followed(false);
    still.following.begin();
    await vi.advanceTimersByTimeAsync(EVERY * 3);
    expect(still.read).toHaveBeenCalledTimes(1);
    const { following, read, stops } = followed();
    following.begin();
    await vi.advanceTimersByTimeAsync(1);
    for (const stop of stops) stop();
    await vi.advanceTimersByTimeAsync(EVERY * 3);
    expect(read).toHaveBeenCalledTimes(1);
  });
});
