/** The help sheet: keys, what things are, and that the address holds the view. */
import { Copy } from './Copy';
import { useExplorer, useOwnId } from './context';
import { Dialog } from './Dialog';
import { keysOn, switchKeys } from './keys';
import { Questions } from './Questions';

export function HelpButton() {
  return (
    <Dialog label="?" name="Help (?)" heading="Help" opens="help">
      {(close) => <Sheet close={close} />}
    </Dialog>
  );
}

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [['?'], 'this sheet'],
  [['/'], 'find a cell by id or hash'],
  [['1', '2', '3', '4'], 'cell, comparison, searches, campaign'],
  [['f'], 'filters'],
  [['m'], 'the map'],
  [['b'], 'back to the cell before'],
  [['p'], 'pin the cell in hand, or take the pin out'],
  [['d'], 'points or density'],
  [['u'], 'unselect'],
  [['e'], 'export'],
  [['Space'], 'play or pause searches'],
];

const MAP_KEYS: readonly (readonly [readonly string[], string])[] = [
  [['←', '→', '↑', '↓'], 'move'],
  [['+', '−'], 'zoom'],
  [['0'], 'show all'],
  [['Esc'], 'unselect'],
];

function Sheet({ close }: { close: () => void }) {
  const explorer = useExplorer();
  const id = useOwnId();
  const { manifest } = explorer;
  const { kind, says } = manifest.table;
  const errors = manifest.columns.filter(({ group }) => group === 'error');
  const predicted = kind === 'predicted';
  return (
    <div class="nb-help">
      <p class={predicted ? 'nb-predicted' : undefined}>{says}</p>
      <Questions onAsk={close} />
      <section aria-labelledby={`${id}-keys`}>
        <h2 id={`${id}-keys`}>Keys</h2>
        <Keys keys={KEYS} />
        <h3>On the map</h3>
        <Keys keys={MAP_KEYS} />
        <label class="nb-choice">
          <input
            type="checkbox"
            checked={keysOn.value}
            onChange={(event) => switchKeys(event.currentTarget.checked)}
          />
          <span>Single keys work</span>
        </label>
      </section>
      <section aria-labelledby={`${id}-things`}>
        <h2 id={`${id}-things`}>What things are</h2>
        <dl>
          <dt>Map</dt>
          <dd>
            Each cell of the table is a point; none is left out. Axes, colour and size are columns.
            Drag moves, with Shift it selects a box; a click takes a cell in hand. Whole numbers are
            spread a little, so that cells do not cover each other.
          </dd>
          <dt>Front</dt>
          <dd>
            The cells, among those left, that no other beats in both axes: none is at least as good
            in both and better in one. Pareto rank 2 is the front of the rest, and so on.
          </dd>
          <dt>Filters</dt>
          <dd>
            A range for each column; a cell is left if it lies in all of them. Bars show the cells
            that the other filters leave, before all cells, by the root of their number.
          </dd>
          {predicted && (
            <>
              <dt>Predicted</dt>
              <dd>
                Said by a model that learnt from measured runs; nobody has trained these cells for
                this table. It stands wherever such a number does, in exports and pictures too.
              </dd>
            </>
          )}
          {errors.length > 0 && (
            <>
              <dt>{predicted ? 'Spread' : 'Standard deviation'}</dt>
              <dd>How far single runs of a cell lie from their mean: what seeds do.</dd>
              <dt>{predicted ? 'Uncertainty' : 'Standard error'}</dt>
              <dd>
                {predicted
                  ? 'How well the mean itself is known: the true mean of 68 % of cells lies within it.'
                  : 'How well the mean of the runs is known.'}
              </dd>
            </>
          )}
          <dt>Edit distance</dt>
          <dd>Edges and ops that must be changed to come from one cell to another.</dd>
        </dl>
      </section>
      <section aria-labelledby={`${id}-link`}>
        <h2 id={`${id}-link`}>Links</h2>
        <p>
          The address holds all that is seen: axes, filters, selection, cell and pins. Whoever opens
          it beside the same table sees the same.
        </p>
        <Copy text={location.href} label="the link" shown="Copy the link" />
      </section>
      <p class="nb-note">
        nb101 {manifest.made}, {manifest.table.name}. Nothing leaves this machine.
      </p>
    </div>
  );
}

function Keys({ keys }: { keys: readonly (readonly [readonly string[], string])[] }) {
  return (
    <dl class="nb-keys">
      {keys.map(([signs, what]) => (
        <div key={what}>
          <dt>
            {signs.map((sign) => (
              <kbd key={sign}>{sign}</kbd>
            ))}
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
}
