/** The cell in hand: drawing, names, numbers, neighbours; and its editor. */
import { useComputed, useSignal } from '@preact/signals';
import { hashOf } from '../engine';
import { CellDrawing } from '../draw/CellDrawing';
import { figure, shown } from '../draw/scales';
import type { InHand } from '../state/explorer';
import { metricLines, plainColumns, rankOf } from '../state/metrics';
import { Copy } from './Copy';
import { useExplorer } from './context';
import { Editor } from './Editor';
import { Neighbours } from './Neighbours';
import { Questions } from './Questions';
import './cell.css';

export function CellPanel() {
  const explorer = useExplorer();
  const inHand = explorer.inHand.value;
  const editing = useSignal(false);
  if (inHand === null) return <Nothing />;
  const { cell, row } = inHand;
  return (
    <section class="nb-cell-panel" aria-label="The cell in hand" data-row={row}>
      <header class="nb-row">
        <h2>
          {row >= 0
            ? `Cell ${explorer.id(row).toLocaleString('en')}`
            : 'A cell that this table has not'}
        </h2>
        <span class="nb-buttons">
          <button
            type="button"
            disabled={explorer.past.value.length === 0}
            title="The cell before (b)"
            onClick={() => explorer.back()}
          >
            Back
          </button>
          <button
            type="button"
            disabled={row < 0}
            aria-pressed={explorer.pins.value.includes(row)}
            title="Keep it for comparison (p)"
            onClick={() => explorer.pin(row)}
          >
            Pin
          </button>
          <button
            type="button"
            aria-pressed={editing.value}
            title="Change edges and ops"
            onClick={() => (editing.value = !editing.value)}
          >
            Edit
          </button>
        </span>
      </header>
      {editing.value ? (
        <Editor start={inHand} onDone={() => (editing.value = false)} />
      ) : (
        <CellDrawing
          n={cell.n}
          edges={cell.edges}
          ops={cell.ops}
          names={explorer.manifest.space.ops}
          label={inWords(inHand, explorer.manifest.space.ops)}
        />
      )}
      <Names inHand={inHand} />
      {row >= 0 && (
        <>
          <Metrics row={row} />
          <Plain row={row} />
          <Neighbours inHand={inHand} />
        </>
      )}
    </section>
  );
}

function Nothing() {
  const explorer = useExplorer();
  return (
    <section class="nb-cell-panel" aria-label="The cell in hand">
      <Questions />
      <p class="nb-note">Click a point of the map, or find a cell by its id or hash.</p>
      {explorer.manifest.paper.length > 0 && (
        <p>
          Cells of the paper:{' '}
          {explorer.manifest.paper.map(({ name, row, title }) => (
            <button key={name} type="button" title={title} onClick={() => explorer.takeRow(row)}>
              {name}
            </button>
          ))}
        </p>
      )}
    </section>
  );
}

/** A cell in words, for who does not see the drawing. */
function inWords({ cell }: InHand, names: readonly string[]): string {
  const vertices = cell.ops.map((op, at) => `vertex ${at + 1} ${names[op]}`);
  const edges = cell.edges.map(([x, y]) => `${x} to ${y}`);
  return `${cell.n} vertices: 0 input, ${[...vertices, ''].join(', ')}${cell.n - 1} output; edges ${edges.join(', ')}`;
}

/** Id, hash, matrix, and what gets the cell in Python and on the command line. */
function Names({ inHand: { cell, row } }: { inHand: InHand }) {
  const explorer = useExplorer();
  const { space, table } = explorer.manifest;
  const hash = hashOf(cell);
  const matrix = Array.from({ length: cell.n }, (_, x) =>
    Array.from({ length: cell.n }, (_, y) =>
      cell.edges.some(([a, b]) => a === x && b === y) ? 1 : 0,
    ),
  );
  const ops = ['input', ...cell.ops.map((op) => space.ops[op]), 'output'];
  const python = `nb101.Cell(${JSON.stringify(matrix)}, ${JSON.stringify(ops)})`;
  return (
    <dl class="nb-names">
      {row >= 0 && (
        <>
          <dt>id</dt>
          <dd>
            <Copy label="the id" text={String(explorer.id(row))} />
          </dd>
        </>
      )}
      <dt>hash</dt>
      <dd>
        <Copy label="the hash" text={hash} />
      </dd>
      {row >= 0 && (
        <>
          <dt>Python</dt>
          <dd>
            <Copy
              label="the line of Python"
              text={`nb101.Benchmark(${table.python}).query(${JSON.stringify(hash)})`}
            />
          </dd>
        </>
      )}
      <dt>cell</dt>
      <dd>
        <Copy label="the cell in Python" text={python} shown="nb101.Cell([[0, …" />
      </dd>
      <dt>matrix</dt>
      <dd>
        <table class="nb-matrix" aria-label="Adjacency matrix and ops">
          <tbody>
            {matrix.map((line, x) => (
              <tr key={x}>
                {line.map((entry, y) => (
                  <td key={y} class={entry ? 'nb-one' : undefined}>
                    {entry}
                  </td>
                ))}
                <th scope="row">{ops[x]}</th>
              </tr>
            ))}
          </tbody>
        </table>
      </dd>
    </dl>
  );
}

/** Every metric at every budget, with what is known of its error, and the rank at the largest. */
function Metrics({ row }: { row: number }) {
  const explorer = useExplorer();
  const lines = metricLines(explorer);
  const { epochs, table } = explorer.manifest;
  if (lines.length === 0) return null;
  const last = epochs[epochs.length - 1];
  return (
    <table class="nb-metrics">
      <caption>
        {table.kind === 'predicted' ? <span class="nb-predicted">predicted</span> : table.kind}, by
        epochs trained; ± is how far the mean may be off, σ how much one run differs from it
      </caption>
      <thead>
        <tr>
          <th scope="col">epochs</th>
          {lines.map((line) => (
            <th key={line.metric} scope="col">
              {line.short}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {epochs.map((budget) => (
          <tr key={budget}>
            <th scope="row">{budget}</th>
            {lines.map((line) => (
              <Metric key={line.metric} name={line.at.get(budget)?.name} row={row} />
            ))}
          </tr>
        ))}
        <tr>
          <th scope="row">rank</th>
          {lines.map((line) => (
            <Rank key={line.metric} name={line.at.get(last)?.name} row={row} />
          ))}
        </tr>
      </tbody>
    </table>
  );
}

function Metric({ name, row }: { name: string | undefined; row: number }) {
  const explorer = useExplorer();
  if (name === undefined) return <td>–</td>;
  const values = explorer.values(name).value;
  if (values === null) return <td aria-busy="true">…</td>;
  const { column } = values;
  return (
    <td data-metric={name}>
      {shown(column, values.data[row])}
      <ErrorOf name={column.error?.uncertainty} sign="±" row={row} />
      <ErrorOf name={column.error?.spread} sign="σ " row={row} />
    </td>
  );
}

function ErrorOf({ name, sign, row }: { name: string | undefined; sign: string; row: number }) {
  const explorer = useExplorer();
  if (name === undefined || !explorer.columns.has(name)) return null;
  const values = explorer.values(name).value;
  if (values === null || Number.isNaN(values.data[row])) return null;
  return (
    <small>
      {sign}
      {figure(values.column, values.data[row])}
    </small>
  );
}

function Rank({ name, row }: { name: string | undefined; row: number }) {
  const explorer = useExplorer();
  const rank = useComputed(() => {
    if (name === undefined) return null;
    const values = explorer.values(name).value;
    const now = explorer.inHand.value?.row ?? row;
    if (values === null || now < 0 || values.column.better === 0) return null;
    return rankOf(values.data, values.column.better, now);
  }).value;
  return (
    <td>
      {rank === null ? '–' : `${rank.rank.toLocaleString('en')} of ${rank.of.toLocaleString('en')}`}
    </td>
  );
}

/** What is of the cell itself: size, cost, shape, columns of one's own. */
function Plain({ row }: { row: number }) {
  const explorer = useExplorer();
  return (
    <dl class="nb-plain">
      {plainColumns(explorer).map((column) => {
        const values = explorer.values(column.name).value;
        return (
          <div key={column.name}>
            <dt>{column.title}</dt>
            <dd>
              {values === null ? '…' : shown(column, values.data[row])}
              {column.kind === 'predicted' && <span class="nb-predicted"> predicted</span>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
