/** Three questions to begin with: each sets the page and says in a sentence what one sees. */
import { batch, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { Column } from '../contract';
import { duration, lastRegret, median, mediansBy, nearlyBest } from '../data/answers';
import { figure, shown } from '../draw/scales';
import { addressOf, takeAddress } from './address';
import { sentence } from './explorer';
import type { Explorer } from './explorer';
import { listed } from './words';

/** How far below the best "nearly as good" is. */
const REACH = 0.005;
/** Runs of an algorithm that are read for its median. */
const RUNS = 20;

export interface Question {
  readonly key: 'cheap' | 'convolution' | 'searches';
  readonly title: string;
  /** What is typed first, where the page cannot answer yet. */
  readonly commands: readonly string[];
  readonly ask: () => Promise<string>;
}

/** What was asked last, and what was there before. */
export interface Answer {
  readonly question: Question;
  /** Null while it is computed. */
  readonly says: string | null;
  readonly before: string;
}

const answers = new WeakMap<Explorer, Signal<Answer | null>>();

/** The answer that an explorer shows. */
export function answerOf(explorer: Explorer): Signal<Answer | null> {
  let answer = answers.get(explorer);
  if (answer === undefined) answers.set(explorer, (answer = signal<Answer | null>(null)));
  return answer;
}

/** Ask: the page is set, and the sentence follows. */
export async function ask(explorer: Explorer, question: Question): Promise<void> {
  const answer = answerOf(explorer);
  const before = answer.peek()?.before ?? addressOf(explorer);
  const asked: Answer = { question, says: null, before };
  answer.value = asked;
  let says: string;
  try {
    says = await question.ask();
  } catch (error) {
    says = `It cannot be said: ${sentence(error)}`;
  }
  // Unless something else was asked, or it was closed.
  if (answer.peek() === asked) answer.value = { ...asked, says };
}

/** Back to what was looked at before. */
export function unask(explorer: Explorer): void {
  const answer = answerOf(explorer);
  const before = answer.peek()?.before;
  answer.value = null;
  if (before !== undefined) takeAddress(explorer, before);
}

/** The questions that this table has answers to. */
export function questionsOf(explorer: Explorer): Question[] {
  const { manifest } = explorer;
  const questions: Question[] = [];
  const accuracy = accuracyOf(explorer);
  if (accuracy !== null) {
    const cost = costOf(explorer, accuracy);
    if (cost !== null) {
      questions.push({
        key: 'cheap',
        title: 'Which cheap cells are nearly as good?',
        commands: [],
        ask: () => askCheap(explorer, accuracy, cost),
      });
    }
    const convolution = manifest.columns.find(
      ({ group, name }) => group === 'ops' && /conv.*3x3/i.test(name),
    );
    if (convolution !== undefined) {
      questions.push({
        key: 'convolution',
        title: 'What does a 3×3 convolution buy?',
        commands: [],
        ask: () => askConvolution(explorer, convolution, accuracy, cost),
      });
    }
  }
  if (manifest.traces.length > 0 || accuracy !== null) {
    questions.push({
      key: 'searches',
      title: 'Watch evolution find them',
      commands: manifest.traces.length > 0 ? [] : commandsOf(explorer),
      ask: () => askSearches(explorer, accuracy),
    });
  }
  return questions;
}

/** The accuracy that is asked about: the map's own, else the validation accuracy of most epochs. */
function accuracyOf({ manifest }: Explorer): Column | null {
  const all = manifest.columns.filter(({ group }) => group === 'accuracy');
  const rank = ({ name, metric, epochs }: Column) =>
    (name === manifest.start.y ? 1e6 : 0) +
    (epochs ?? 0) +
    (metric === 'validation_accuracy' ? 0.5 : metric === 'test_accuracy' ? 0.25 : 0);
  return all.reduce<Column | null>(
    (best, column) => (best === null || rank(column) > rank(best) ? column : best),
    null,
  );
}

/** What a cell costs: its training with that many epochs, else its size. */
function costOf({ manifest }: Explorer, { epochs }: Column): Column | null {
  const { columns } = manifest;
  return (
    columns.find((column) => column.group === 'time' && column.epochs === epochs) ??
    columns.find(({ name }) => name === 'parameters') ??
    columns.find(({ name }) => name === 'flops') ??
    null
  );
}

/** Everything in sight, with these axes and this colour. */
function begin(explorer: Explorer, x: Column, y: Column, colour: string | null): void {
  batch(() => {
    explorer.clearFilters();
    explorer.unselect();
    explorer.mode.value = 'points';
    explorer.size.value = null;
    explorer.setAxis('x', x.name);
    explorer.setAxis('y', y.name);
    if (colour !== null) explorer.colour.value = colour;
  });
}

const mark = (column: Column) => (column.kind === 'predicted' ? ', predicted' : '');

async function askCheap(explorer: Explorer, accuracy: Column, cost: Column): Promise<string> {
  const size = explorer.manifest.columns.find(
    ({ name }) => name === 'parameters' && name !== cost.name,
  );
  begin(explorer, cost, accuracy, size?.name ?? null);
  const [y, x] = [await explorer.ready(accuracy.name), await explorer.ready(cost.name)];
  const found = nearlyBest(y.data, x.data, REACH);
  if (found === null) return 'No cell of this table has both numbers.';
  const { best, bestRow, count, cheapest } = found;
  batch(() => {
    const names = explorer.shownFilters.peek();
    if (!names.includes(accuracy.name)) explorer.shownFilters.value = [accuracy.name, ...names];
    explorer.filter(accuracy.name, [best - REACH, y.high]);
    explorer.takeRow(cheapest);
    explorer.panel.value = 'cell';
    const [axis, seen] = [explorer.yAxis.peek(), explorer.seen.peek()];
    if (axis !== null) {
      const y0 = axis.position(best - 5 * REACH);
      const y1 = axis.position(best + REACH / 2);
      if (y0 < y1) explorer.view.value = { ...seen, y0, y1 };
    }
  });
  const share = x.data[cheapest] / x.data[bestRow];
  const least =
    cost.unit === 's'
      ? `trains in ${duration(x.data[cheapest])}`
      : `has ${shown(cost, x.data[cheapest])} ${cost.short}`;
  const cells = count === 1 ? 'One cell lies' : `${count.toLocaleString('en')} cells lie`;
  const of = cost.unit === 's' ? 'of the best one’s time' : 'of what the best one has';
  return (
    `${cells} within ${REACH * 100} points of the best (${shown(accuracy, best)}${mark(accuracy)}); ` +
    `the cheapest ${least}, ${Math.round(share * 100)} % ${of}.`
  );
}

const NUMBERS = ['none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

async function askConvolution(
  explorer: Explorer,
  convolution: Column,
  accuracy: Column,
  cost: Column | null,
): Promise<string> {
  begin(explorer, convolution, accuracy, cost?.name ?? null);
  const counts = await explorer.ready(convolution.name);
  const columns = [(await explorer.ready(accuracy.name)).data];
  if (cost !== null) columns.push((await explorer.ready(cost.name)).data);
  const groups = mediansBy(counts.data, ...columns).filter(({ medians }) =>
    medians.every(Number.isFinite),
  );
  if (groups.length === 0) return 'No cell of this table has both numbers.';
  const parts = groups.map(
    ({ value, medians }) => `${figure(accuracy, medians[0])} with ${NUMBERS[value] ?? value}`,
  );
  const says = `The median cell reaches ${listed(parts)} (${accuracy.unit}${mark(accuracy)})`;
  const [first, last] = [groups[0], groups[groups.length - 1]];
  if (cost === null || first === last) return `${says}.`;
  const times = Number((last.medians[1] / first.medians[1]).toPrecision(2));
  return cost.unit === 's'
    ? `${says}; its training takes ${duration(first.medians[1])} with ` +
        `${NUMBERS[first.value] ?? first.value} and ${times} times as long with ` +
        `${NUMBERS[last.value] ?? last.value}.`
    : `${says}; with ${NUMBERS[last.value] ?? last.value} it has ${times} times as many ` +
        `${cost.short} as with ${NUMBERS[first.value] ?? first.value}.`;
}

async function askSearches(explorer: Explorer, accuracy: Column | null): Promise<string> {
  const { manifest } = explorer;
  const cost = accuracy && costOf(explorer, accuracy);
  if (accuracy !== null && cost !== null) begin(explorer, cost, accuracy, null);
  explorer.panel.value = 'searches';
  const ends = await Promise.all(
    manifest.traces.map(async ({ title, runs }) => {
      const some = runs.slice(0, RUNS);
      const files = await Promise.all(
        some.map(async ({ file, queries }) =>
          lastRegret(await explorer.source.bytes(file), queries),
        ),
      );
      return { title, runs: some.length, regret: median(files) };
    }),
  );
  const known = ends
    .filter(({ regret }) => Number.isFinite(regret))
    .sort((a, b) => a.regret - b.regret);
  if (known.length === 0) return 'These searches have no regrets.';
  const parts = known
    .slice(0, 4)
    .map(({ title, runs, regret }) => `${title} ${(100 * regret).toFixed(2)} (${runs} runs)`);
  const kind = manifest.table.kind === 'predicted' ? ', of predicted numbers' : '';
  return (
    'Each step is a cell that a search asked for, over simulated time. At their ends they are, ' +
    `in points of test accuracy below the best (median${kind}): ${listed(parts)}.`
  );
}

/** What makes traces for this table, and shows them. */
function commandsOf({ manifest }: Explorer): string[] {
  const { command } = manifest.table;
  const table = /^nb101 explore ([^-].*)$/.exec(command)?.[1];
  const of = table === undefined ? '' : ` --table ${table}`;
  return [
    `nb101 search compare random-search regularized-evolution --runs 20${of} -o comparison`,
    `${command} --traces comparison`,
  ];
}
