/** A campaign: how far it is, and its runs as they finish. */
import { useEffect } from 'preact/hooks';
import type { CampaignNow, CampaignRun } from '../data/campaign';
import { figure, shown } from '../draw/scales';
import { campaignOf } from '../state/campaign';
import { TRAINING_TIME, accuracyColumn } from '../state/written';
import { CampaignChart } from './CampaignChart';
import { useExplorer } from './context';
import './replay.css';

/** Runs in the table: the latest. */
const LATEST = 30;

const VALIDATION = accuracyColumn('validation accuracy', 'measured');
const TEST = accuracyColumn('test accuracy', 'measured');

export function Campaign() {
  const explorer = useExplorer();
  const following = campaignOf(explorer);
  useEffect(() => following.begin(), [following]);
  const now = following.now.value;
  const trouble = following.trouble.value;
  const live = following.live.value;
  const predicted = explorer.manifest.table.kind === 'predicted';
  return (
    <div class="nb-searches">
      <h2>{explorer.manifest.campaign?.title}</h2>
      {trouble !== null && (
        <p class="nb-trouble" role="alert">
          The campaign cannot be read just now: {trouble}
          {live && ' It is tried again.'}
        </p>
      )}
      {now === null && trouble === null && <p class="nb-note">Reading the campaign…</p>}
      {now !== null && (
        <>
          <Progress now={now} live={live} />
          <label class="nb-check">
            <input
              type="checkbox"
              checked={following.marked.value}
              onChange={(event) => (following.marked.value = event.currentTarget.checked)}
            />
            Mark the {following.rows.value.length.toLocaleString('en')} finished cells on the map
          </label>
          {now.runs.length > 0 && <CampaignChart runs={now.runs} column={VALIDATION} />}
          <Latest runs={now.runs} />
          <p class="nb-note">
            These accuracies are measured, each by one run
            {predicted && '; those of the table on the map are predicted'}.
          </p>
        </>
      )}
    </div>
  );
}

/** Names of counts in the order in which they are told; others follow. */
const ORDER = ['finished', 'running', 'failed', 'waiting'];

function Progress({ now, live }: { now: CampaignNow; live: boolean }) {
  const names = [
    ...ORDER.filter((name) => now.counts.has(name)),
    ...[...now.counts.keys()].filter((name) => !ORDER.includes(name)),
  ];
  const share = (name: string) => (100 * (now.counts.get(name) ?? 0)) / Math.max(1, now.total);
  const told = names
    .filter((name) => name === 'finished' || now.counts.get(name) !== 0)
    .map((name) => `${(now.counts.get(name) ?? 0).toLocaleString('en')} ${name}`)
    .join(', ');
  return (
    <div>
      <div
        class="nb-progress"
        role="progressbar"
        aria-label="Finished runs"
        aria-valuemin={0}
        aria-valuemax={now.total}
        aria-valuenow={now.counts.get('finished') ?? 0}
        aria-valuetext={`${told}, of ${now.total.toLocaleString('en')} runs`}
      >
        {['finished', 'running', 'failed'].map((name) => (
          <i key={name} class={`nb-${name}`} style={{ width: `${share(name)}%` }} />
        ))}
      </div>
      <p class="nb-row">
        <span data-finished={now.counts.get('finished') ?? 0}>
          {told}, of {now.total.toLocaleString('en')} runs
        </span>
        <span class="nb-note">{now.done ? 'done' : live ? 'followed live' : 'not live'}</span>
      </p>
    </div>
  );
}

function Latest({ runs }: { runs: readonly CampaignRun[] }) {
  const explorer = useExplorer();
  const latest = runs.slice(-LATEST).reverse();
  return (
    <table class="nb-moments">
      <caption>
        {latest.length === 0
          ? 'No run has finished yet'
          : latest.length < runs.length
            ? `The latest ${latest.length} of ${runs.length.toLocaleString('en')} finished runs`
            : 'Finished runs, the latest first'}
      </caption>
      <thead>
        <tr>
          <th scope="col">cell</th>
          <th scope="col">epochs</th>
          <th scope="col" title="Which run of this cell at this budget">
            repeat
          </th>
          <th scope="col" title="validation accuracy, %">
            valid., %
          </th>
          <th scope="col" title="test accuracy, %">
            test, %
          </th>
          <th scope="col">time, s</th>
        </tr>
      </thead>
      <tbody class="nb-plain">
        {latest.map((run, at) => {
          const there = run.row >= 0 && run.row < explorer.count;
          return (
            <tr
              key={runs.length - at}
              class={there ? 'nb-takes' : ''}
              onClick={() => explorer.takeRow(run.row)}
            >
              <th scope="row">
                {there ? (
                  <button
                    type="button"
                    class="nb-link"
                    aria-label={`Take cell ${explorer.id(run.row)}`}
                  >
                    {explorer.id(run.row)}
                  </button>
                ) : (
                  <span title="This cell is not in the table that is shown">other</span>
                )}
              </th>
              <td>{run.epochs}</td>
              <td>{run.repeat}</td>
              <td title={shown(VALIDATION, run.validation)}>
                {figure(VALIDATION, run.validation)}
              </td>
              <td title={shown(TEST, run.test)}>{figure(TEST, run.test)}</td>
              <td title={shown(TRAINING_TIME, run.seconds)}>
                {figure(TRAINING_TIME, run.seconds)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
