/** Beside the map: the cell in hand, comparison, searches, a campaign. */
import type { Panel } from '../state/explorer';
import { Campaign } from './Campaign';
import { CellPanel } from './CellPanel';
import { Compare } from './Compare';
import { useExplorer, useOwnId } from './context';
import { Searches } from './Searches';

const VIEWS = { cell: CellPanel, compare: Compare, searches: Searches, campaign: Campaign };

export function Panels() {
  const explorer = useExplorer();
  const { manifest } = explorer;
  const pins = explorer.pins.value.length;
  const tabs: [Panel, string][] = [
    ['cell', 'Cell'],
    ['compare', pins > 0 ? `Compare (${pins})` : 'Compare'],
  ];
  if (manifest.traces.length > 0) tabs.push(['searches', 'Searches']);
  if (manifest.campaign !== null) tabs.push(['campaign', 'Campaign']);
  const now = tabs.some(([name]) => name === explorer.panel.value) ? explorer.panel.value : 'cell';
  const View = VIEWS[now];
  const id = useOwnId();
  const step = (event: KeyboardEvent, by: number) => {
    event.preventDefault();
    const at = tabs.findIndex(([name]) => name === now);
    explorer.panel.value = tabs[(at + by + tabs.length) % tabs.length][0];
    const list = (event.currentTarget as HTMLElement).parentElement!;
    requestAnimationFrame(() => list.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <>
      <div class="nb-tablist" role="tablist" aria-label="Panels">
        {tabs.map(([name, label]) => (
          <button
            key={name}
            id={`${id}-${name}`}
            type="button"
            role="tab"
            aria-selected={name === now}
            aria-controls={id}
            tabIndex={name === now ? 0 : -1}
            onClick={() => (explorer.panel.value = name)}
            onKeyDown={(event) => {
              if (event.key === 'ArrowRight') step(event, 1);
              if (event.key === 'ArrowLeft') step(event, -1);
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <div id={id} role="tabpanel" aria-labelledby={`${id}-${now}`}>
        <View />
      </div>
    </>
  );
}
