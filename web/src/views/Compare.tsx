/** Two to four pinned cells side by side, and what differs. */
import { differences } from '../engine';
import { CellDrawing } from '../draw/CellDrawing';
import { figure, shown } from '../draw/scales';
import { useExplorer } from './context';
import './cell.css';

const LETTERS = 'ABCD';

export function Compare() {
  const explorer = useExplorer();
  const pins = explorer.pins.value;
  if (pins.length === 0) {
    return (
      <p class="nb-note">
        Pin two to four cells to see them side by side: the button Pin beside a cell, or the key p.
      </p>
    );
  }
  const { space } = explorer.manifest;
  const cells = pins.map((row) => explorer.finder.cell(row));
  const against = cells.map((cell) => (cell === cells[0] ? null : differences(cells[0], cell)));
  return (
    <section class="nb-compare" aria-label="Comparison">
      <div class="nb-side-by-side">
        {cells.map((cell, at) => {
          const difference = against[at];
          const onlyEdges = difference?.edgesOnlyB ?? [];
          const vertices = [
            ...(difference?.onlyB ?? []),
            ...(difference?.opsChanged.map(([, b]) => b) ?? []),
          ];
          return (
            <figure key={pins[at]}>
              <figcaption>
                <b>{LETTERS[at]}</b>{' '}
                <button type="button" class="nb-link" onClick={() => explorer.takeRow(pins[at])}>
                  cell {explorer.id(pins[at])}
                </button>
                <button
                  type="button"
                  class="nb-icon"
                  aria-label={`Take ${LETTERS[at]} out of the comparison`}
                  onClick={() => explorer.pin(pins[at])}
                >
                  ×
                </button>
              </figcaption>
              <CellDrawing
                n={cell.n}
                edges={cell.edges}
                ops={cell.ops}
                names={space.ops}
                label={`Cell ${LETTERS[at]}: ${cell.n} vertices, ${cell.edges.length} edges`}
                changedEdges={new Set(onlyEdges.map(([x, y]) => `${x},${y}`))}
                changedVertices={new Set(vertices)}
              />
              {difference && (
                <p class="nb-note" data-distance={difference.distance}>
                  {difference.distance === 0
                    ? 'The same as A.'
                    : `${difference.distance} ${difference.distance === 1 ? 'entry differs' : 'entries differ'} from A: ${inWords(difference)}`}
                </p>
              )}
            </figure>
          );
        })}
      </div>
      <table>
        <caption class="nb-quiet">Numbers of the pinned cells</caption>
        <thead>
          <tr>
            <td />
            {pins.map((row, at) => (
              <th key={row} scope="col">
                {LETTERS[at]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...explorer.columns.values()]
            .filter(
              ({ group, name }) =>
                group !== 'error' && explorer.manifest.columns.some((one) => one.name === name),
            )
            .map((column) => {
              const values = explorer.values(column.name).value;
              if (values === null) return null;
              const numbers = pins.map((row) => values.data[row]);
              const best =
                column.better === 0
                  ? NaN
                  : Math.max(...numbers.map((one) => one * column.better)) * column.better;
              const differ = new Set(numbers.map((one) => figure(column, one))).size > 1;
              return (
                <tr key={column.name}>
                  <th scope="row">
                    {column.title}
                    {column.kind === 'predicted' && <span class="nb-predicted"> predicted</span>}
                  </th>
                  {numbers.map((one, at) => (
                    <td key={pins[at]} class={differ && one === best ? 'nb-better' : undefined}>
                      {shown(column, one)}
                      {differ && one === best && <span class="nb-quiet"> best</span>}
                    </td>
                  ))}
                </tr>
              );
            })}
        </tbody>
      </table>
    </section>
  );
}

function inWords(difference: ReturnType<typeof differences>): string {
  const { edgesOnlyA, edgesOnlyB, opsChanged } = difference;
  const counted = (count: number, one: string, more: string) =>
    count === 0 ? [] : [`${count} ${count === 1 ? one : more}`];
  return [
    ...counted(edgesOnlyB.length, 'edge more', 'edges more'),
    ...counted(edgesOnlyA.length, 'edge fewer', 'edges fewer'),
    ...counted(opsChanged.length, 'op', 'ops'),
  ].join(', ');
}
