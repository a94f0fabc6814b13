/** What table it is, how many cells are left, and how to find one. */
import { useSignal } from '@preact/signals';
import { judgeText } from '../state/lookup';
import { useExplorer } from './context';
import { ExportButton } from './Export';
import { HelpButton } from './Help';
import { chosenTheme, theme } from './theme';

export function Header() {
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
      <Find />
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
function Find() {
  const explorer = useExplorer();
  const text = useSignal('');
  const busy = useSignal(false);
  const find = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    const answer = await judgeText(explorer, text.value);
    busy.value = false;
    if (typeof answer === 'number') explorer.takeRow(answer);
    else explorer.notice.value = answer;
  };
  return (
    <form class="nb-find" role="search" onSubmit={(event) => void find(event)}>
      <label for="nb-find" class="nb-quiet">
        Find a cell by its id or hash
      </label>
      <input
        id="nb-find"
        type="search"
        placeholder="id or hash"
        value={text.value}
        // A field that is disabled loses the focus.
        readOnly={busy.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
    </form>
  );
}
