/** What is left of the table as a file or as Python, and the map as a picture. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Column } from '../contract';
import { budgetsOf, csvOf, fileName, hashesOf, parquetOf, pythonOf } from '../data/exports';
import type { Extract, Kept, Layout } from '../data/exports';
import type { Explorer } from '../state/explorer';
import { sentence } from '../state/explorer';
import { leftInWords } from '../state/words';
import { GROUPS } from './ColumnSelect';
import { copyText } from './Copy';
import { useExplorer, useShared } from './context';
import { Dialog } from './Dialog';
import { download } from './download';
import { mapPicture, pngBlob, svgBlob } from './picture';
import { theme } from './theme';

type Format = 'csv' | 'parquet' | 'hashes' | 'python' | 'png' | 'svg';

const FORMATS: readonly (readonly [Format, string, string])[] = [
  ['csv', 'CSV', 'for spreadsheets and pandas'],
  ['parquet', 'Parquet', 'for pyarrow, polars, pandas and nb101'],
  ['hashes', 'Hashes', 'one a line, as nb101 query takes them'],
  ['python', 'Python', 'code that selects the same cells'],
  ['png', 'Picture, PNG', 'the map as it is seen, twice as fine'],
  ['svg', 'Picture, SVG', 'the same, with text and lines as such'],
];

export function ExportButton() {
  return (
    <Dialog label="Export" heading="Export" opens="export">
      {() => <Sheet />}
    </Dialog>
  );
}

function Sheet() {
  const shared = useShared();
  const { explorer } = shared;
  const { manifest } = explorer;
  const format = useSignal<Format>('csv');
  const layout = useSignal<Layout>('cells');
  const names = useSignal(mapColumns(explorer));
  const busy = useSignal(false);
  const said = useSignal('');
  const share = useSignal<number | null>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const count = explorer.rowsLeft.value.length;
  const table = format.value === 'csv' || format.value === 'parquet';
  const picture = format.value === 'png' || format.value === 'svg';
  const chosen = columnsOf(explorer).filter(({ name }) => names.value.includes(name));
  const code = format.value === 'python' ? pythonHere(explorer) : '';
  const cannot = !picture && count === 0;

  const work = async (action: () => Promise<string>) => {
    busy.value = true;
    said.value = '';
    try {
      said.value = await action();
    } catch (error) {
      said.value = `Nothing was exported: ${sentence(error)}`;
    } finally {
      busy.value = false;
      share.value = null;
    }
  };
  const tell = (what: string) => (part: number) => {
    said.value = what;
    share.value = part;
  };
  const save = () =>
    work(async () => {
      const { blob, name } = await made();
      download(blob, name);
      return `Saved as ${name} (${size(blob.size)}).`;
    });
  const made = async (): Promise<{ blob: Blob; name: string }> => {
    const { value } = format;
    if (value === 'png' || value === 'svg') {
      const frame = sheet.current!.closest('.nb101')!.querySelector<HTMLElement>('.nb-map');
      if (frame === null || frame.clientWidth === 0) {
        throw new Error('the map is not seen; open it first.');
      }
      const drawn = mapPicture(shared, frame, theme.value === 'dark');
      const blob = value === 'png' ? await pngBlob(drawn) : svgBlob(drawn);
      return { blob, name: fileName(manifest.table, 'map', value) };
    }
    const name = (ending: string) =>
      fileName(manifest.table, `${count}-cell${count === 1 ? '' : 's'}`, ending);
    if (value === 'python')
      return { blob: new Blob([code], { type: 'text/plain' }), name: name('py') };
    const rows = explorer.rowsLeft.peek();
    const needed = value !== 'parquet' || layout.value === 'cells';
    const hashes = needed ? await explorer.worker.hashes(rows, tell('Hashing cells')) : null;
    if (value === 'hashes') return { blob: hashesOf(hashes!), name: name('txt') };
    const reading = tell('Reading columns');
    const columns: Extract['columns'][number][] = [];
    for (const [at, { name }] of chosen.entries()) {
      reading(at / chosen.length);
      columns.push(await explorer.ready(name));
    }
    const ids = Float64Array.from(rows, (row) => explorer.id(row));
    const extract = { manifest, layout: layout.value, rows, ids, columns, hashes };
    if (value === 'csv')
      return { blob: await csvOf(extract, tell('Writing rows')), name: name('csv') };
    tell('Writing columns')(0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    return { blob: await parquetOf(extract), name: name('parquet') };
  };

  return (
    <div ref={sheet} class="nb-export">
      <p data-export-count={count}>
        {picture ? 'The map as it is seen' : sentenceOf(leftInWords(explorer))}
        {manifest.table.kind === 'predicted' && <span class="nb-predicted">, predicted</span>}
      </p>
      <fieldset>
        <legend>As</legend>
        {FORMATS.map(([name, label, help]) => (
          <label key={name} class="nb-choice">
            <input
              type="radio"
              name="nb-format"
              value={name}
              checked={format.value === name}
              disabled={busy.value}
              onChange={() => {
                format.value = name;
                said.value = '';
              }}
            />
            <span>{label}</span>
            <span class="nb-note">{help}</span>
          </label>
        ))}
      </fieldset>
      {table && (
        <>
          <LayoutChoice layout={layout.value} onChoose={(next) => (layout.value = next)} />
          <ColumnChoice names={names.value} onChoose={(next) => (names.value = next)} />
        </>
      )}
      {code !== '' && (
        <pre class="nb-code" tabIndex={0} aria-label="Python">
          {code.length > 1200 ? `${code.slice(0, 1200)}…` : code}
        </pre>
      )}
      <div class="nb-sheet-foot">
        <span role="status" class="nb-note">
          {cannot ? 'No cell is left: there is nothing to export.' : said.value}
          {share.value !== null && `: ${Math.round(share.value * 100)} %`}
        </span>
        {format.value === 'python' && (
          <button
            type="button"
            disabled={busy.value || cannot}
            onClick={() =>
              void work(async () => {
                await copyText(code);
                return 'Copied.';
              })
            }
          >
            Copy
          </button>
        )}
        <button
          type="button"
          class="nb-main-action"
          disabled={busy.value || cannot || (table && chosen.length === 0)}
          aria-busy={busy.value}
          onClick={() => void save()}
        >
          Save
        </button>
      </div>
    </div>
  );
}

function LayoutChoice({ layout, onChoose }: { layout: Layout; onChoose: (next: Layout) => void }) {
  const choices: readonly (readonly [Layout, string, string])[] = [
    ['cells', 'One a cell', 'columns such as test_accuracy@108'],
    ['runs', 'One a cell and budget', 'as nb101’s own tables: Table.from_arrow reads it again'],
  ];
  return (
    <fieldset>
      <legend>Rows</legend>
      {choices.map(([name, label, help]) => (
        <label key={name} class="nb-choice">
          <input
            type="radio"
            name="nb-layout"
            value={name}
            checked={layout === name}
            onChange={() => onChoose(name)}
          />
          <span>{label}</span>
          <span class="nb-note">{help}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface ColumnChoiceProps {
  names: readonly string[];
  onChoose: (next: string[]) => void;
}

function ColumnChoice({ names, onChoose }: ColumnChoiceProps) {
  const explorer = useExplorer();
  const columns = columnsOf(explorer);
  const budgets = budgetsOf(columns.filter(({ name }) => names.includes(name)));
  const groups = Object.entries(GROUPS).filter(([group]) =>
    columns.some((column) => column.group === group),
  );
  return (
    <fieldset>
      <legend>
        Columns, {names.length} of {columns.length}
        {budgets.length > 1 && `, of ${budgets.length} budgets`}
      </legend>
      <div class="nb-buttons">
        <button type="button" onClick={() => onChoose(mapColumns(explorer))}>
          Map and filters
        </button>
        <button type="button" onClick={() => onChoose(columns.map(({ name }) => name))}>
          All
        </button>
        <button type="button" onClick={() => onChoose([])}>
          None
        </button>
      </div>
      <div class="nb-columns" tabIndex={0} role="group" aria-label="Columns">
        <div>
          {groups.map(([group, title]) => (
            <div key={group} role="group" aria-label={title}>
              <h3>{title}</h3>
              {columns
                .filter((column) => column.group === group)
                .map(({ name, title }) => (
                  <label key={name} class="nb-choice">
                    <input
                      type="checkbox"
                      checked={names.includes(name)}
                      onChange={(event) =>
                        onChoose(
                          event.currentTarget.checked
                            ? [...names, name]
                            : names.filter((other) => other !== name),
                        )
                      }
                    />
                    <span>{title}</span>
                  </label>
                ))}
            </div>
          ))}
        </div>
      </div>
    </fieldset>
  );
}

/** All columns that have numbers, or will have them when they are asked for. */
function columnsOf(explorer: Explorer): Column[] {
  const own = explorer.manifest.columns;
  const known = new Set(own.map(({ name }) => name));
  // What depends on what is looked at is there if it was looked at.
  const derived = [...explorer.columns.values()].flatMap(({ name }) => {
    const values = known.has(name) ? null : explorer.values(name).peek();
    return values === null ? [] : [values.column];
  });
  return [...own, ...derived];
}

/** Columns of the map and of the filters in force. */
function mapColumns(explorer: Explorer): string[] {
  const names = [explorer.y.peek(), explorer.x.peek(), explorer.colour.peek()];
  const size = explorer.size.peek();
  return [...new Set([...names, ...(size === null ? [] : [size]), ...explorer.filters.names])];
}

/** Python for what is left: the filters, or the ids. */
export function pythonHere(explorer: Explorer): string {
  void explorer.filtered.value;
  let kept: Kept[] | null = [];
  if (explorer.selected.value !== null) kept = null;
  else {
    for (const name of explorer.filters.names) {
      const [values, range] = [explorer.values(name).value, explorer.filters.range(name)];
      if (values === null || range === null) return '';
      kept.push({ column: values.column, range, low: values.low, high: values.high });
    }
  }
  const rows = explorer.rowsLeft.value;
  return pythonOf(explorer.manifest, kept, () => Array.from(rows, (row) => explorer.id(row)));
}

function sentenceOf(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
