/** Cells one edit away, with what each edit brings. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Column } from '../contract';
import type { Values } from '../data/values';
import { editsFrom } from '../engine';
import type { Edit } from '../engine';
import { figure, shown } from '../draw/scales';
import type { InHand } from '../state/explorer';
import { sentence } from '../state/explorer';
import { useExplorer } from './context';

const AT_ONCE = 30;

export function Neighbours({ inHand }: { inHand: InHand }) {
  const explorer = useExplorer();
  const { space } = explorer.manifest;
  const from = useMemo(() => editsFrom(inHand.cell, explorer.finder, space), [inHand]);
  const to = useSignal<{ of: InHand; edits: Edit[] } | null>(null);
  const many = useSignal(AT_ONCE);
  const shareDone = useSignal(0);
  // Larger cells of which an edit leads here, with pruning: a look through the table.
  const larger = inHand.cell.n < space.max_vertices;
  useSignalEffect(() => {
    const now = explorer.inHand.value;
    if (now === null || now.row < 0 || now.cell.n >= space.max_vertices) return undefined;
    many.value = AT_ONCE;
    shareDone.value = 0;
    // Whoever steps on does not wait for the cells before.
    const left = new AbortController();
    explorer.worker
      .editsTo(now.cell, (share) => (shareDone.value = share), left.signal)
      .then(
        (edits) => (to.value = { of: now, edits }),
        (error: unknown) => {
          if (left.signal.aborted) return;
          explorer.notice.value = `Neighbours of more vertices: ${sentence(error)}`;
        },
      );
    return () => left.abort();
  });
  const values = explorer.values(explorer.y.value).value;
  const others = explorer.values(explorer.x.value).value;
  const here = new Set(from.map((edit) => edit.row));
  const back = to.value?.of === inHand ? to.value.edits.filter((edit) => !here.has(edit.row)) : [];
  const edits = [...from, ...back];
  const sign = values?.column.better === -1 ? -1 : 1;
  if (values !== null) {
    const gain = (row: number) =>
      Number.isNaN(values.data[row]) ? -Infinity : sign * values.data[row];
    edits.sort((a, b) => gain(b.row) - gain(a.row));
  }
  const waiting = larger && to.value?.of !== inHand;
  return (
    <section class="nb-neighbours" aria-label="Neighbours">
      <h2>
        {edits.length.toLocaleString('en')} neighbours, one edit away
        {waiting && (
          <span class="nb-note">
            {' '}
            and looking for larger ones: {Math.round(shareDone.value * 100)} %
          </span>
        )}
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">edit</th>
            <th scope="col">cell</th>
            {values && <ChangeHeading column={values.column} />}
            {others && others !== values && <ChangeHeading column={others.column} />}
          </tr>
        </thead>
        <tbody>
          {edits.slice(0, many.value).map((edit) => (
            <tr
              key={`${edit.direction}${edit.row}`}
              onPointerEnter={() => (explorer.hovered.value = edit.row)}
              onPointerLeave={() => (explorer.hovered.value = -1)}
            >
              <td>
                {edit.direction === 'to' ? 'this is it with ' : ''}
                {edit.says}
                {edit.pruned > 0 && (
                  <small>
                    {' '}
                    {edit.pruned === 1 ? 'a vertex falls' : `${edit.pruned} vertices fall`} away
                  </small>
                )}
              </td>
              <td>
                <button
                  type="button"
                  class="nb-link"
                  onFocus={() => (explorer.hovered.value = edit.row)}
                  onBlur={() => (explorer.hovered.value = -1)}
                  onClick={() => explorer.takeRow(edit.row)}
                >
                  {explorer.id(edit.row)}
                </button>
              </td>
              {values && <Change values={values} of={edit.row} from={inHand.row} />}
              {others && others !== values && (
                <Change values={others} of={edit.row} from={inHand.row} />
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {edits.length > many.value && (
        <button type="button" onClick={() => (many.value += 200)}>
          Show more of {edits.length.toLocaleString('en')}
        </button>
      )}
    </section>
  );
}

/** What changes, at which budget, in what; and that it is predicted. */
function ChangeHeading({ column }: { column: Column }) {
  const unit = column.unit === '%' ? 'points' : column.unit;
  const more = [column.epochs === null ? '' : `${column.epochs} epochs`, unit];
  return (
    <th scope="col">
      {column.short}
      {more.some(Boolean) && <small> {more.filter(Boolean).join(', ')}</small>}
      {column.kind === 'predicted' && <span class="nb-predicted"> predicted</span>}
    </th>
  );
}

/** How much more or less the other cell has: the colour and the sign say the same. */
function Change({ values, of, from }: { values: Values; of: number; from: number }) {
  const { column, data } = values;
  const change = data[of] - data[from];
  if (Number.isNaN(change)) return <td>–</td>;
  const better = change * column.better;
  const text = figure(column, Math.abs(change));
  const none = Number(text.replace(/,/g, '')) === 0;
  return (
    <td
      class={none || better === 0 ? undefined : better > 0 ? 'nb-better' : 'nb-worse'}
      title={shown(column, data[of])}
    >
      {none ? '±' : change > 0 ? '+' : '−'}
      {text}
    </td>
  );
}
