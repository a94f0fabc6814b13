/** What table it is, how many cells are left, and how to find one. */
import { useSignal } from '@preact/signals';
import { sentence } from '../state/explorer';
import { judgeText } from '../state/lookup';
import { useExplorer } from './context';
import { ExportButton } from './Export';
import { HelpButton } from './Help';
import { chosenTheme, theme } from './theme';

export function Header({ onFound }: { onFound: () => void }) {
  const explorer = useExplorer();
  const { manifest } = explorer;
  void explorer.filtered.value;
  const selected = explorer.selected.value !== null;
  const left = selected ? explorer.rowsLeft.value.length : explorer.filters.left;
  const all = explorer.count;
  return (
    <header class="nb-header">
      <div class="nb-title">
        <h1>{manifest.title}</h1>
        <span class={`nb-badge nb-${manifest.table.kind}`} title={manifest.table.says}>
          {manifest.table.kind === 'unknown' ? 'not said whether measured' : manifest.table.kind}
        </span>
      </div>
      <p class="nb-left-count" aria-live="polite" data-left={left}>
        <b>{left.toLocaleString('en')}</b> of {all.toLocaleString('en')} cells
        {selected ? ' selected' : ''}
        {selected && (
          <button type="button" onClick={() => explorer.unselect()}>
            Unselect
          </button>
        )}
      </p>
      <Find onFound={onFound} />
      <div class="nb-header-actions">
        <ExportButton />
        <button
          type="button"
          class="nb-icon"
          aria-label={theme.value === 'dark' ? 'Light' : 'Dark'}
          title={theme.value === 'dark' ? 'Light' : 'Dark'}
          onClick={() => (chosenTheme.value = theme.value === 'dark' ? 'light' : 'dark')}
        >
          {theme.value === 'dark' ? '☀' : '☾'}
        </button>
        <HelpButton />
      </div>
    </header>
  );
}

/** A cell by its id or its hash. */
function Find({ onFound }: { onFound: () => void }) {
  const explorer = useExplorer();
  const text = useSignal('');
  const busy = useSignal(false);
  const find = async (event: Event) => {
    event.preventDefault();
    if (busy.peek()) return;
    busy.value = true;
    try {
      const answer = await judgeText(explorer, text.value);
      if (typeof answer === 'number') {
        explorer.takeRow(answer);
        explorer.panel.value = 'cell';
        explorer.notice.value = null;
        onFound();
      } else explorer.notice.value = answer;
    } catch (error) {
      explorer.notice.value = `The cell was not found: ${sentence(error)}`;
    } finally {
      busy.value = false;
    }
  };
  return (
    <form class="nb-find" role="search" onSubmit={(event) => void find(event)}>
      <input
        aria-label="Find a cell by its id or hash"
        type="search"
        placeholder="id or hash"
        value={text.value}
        // A field that is disabled loses the focus.
        readOnly={busy.value}
        aria-busy={busy.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
    </form>
  );
}
