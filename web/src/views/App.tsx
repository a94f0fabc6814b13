/** The whole of it: header, filters, map, and panels beside it. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { MapScene } from '../state/scene';
import type { Explorer } from '../state/explorer';
import { answerOf } from '../state/questions';
import { SharedContext, useExplorer } from './context';
import { Filters } from './Filters';
import { Header } from './Header';
import { listen } from './keys';
import type { Part } from './keys';
import { MapView } from './MapView';
import { Panels } from './Panels';
import { Answered } from './Questions';
import { theme } from './theme';
import { Toolbar } from './Toolbar';

const TABS: readonly (readonly [Part, string])[] = [
  ['filters', 'Filters'],
  ['map', 'Map'],
  ['panels', 'Cell'],
];

export function App({ explorer }: { explorer: Explorer }) {
  const shared = useMemo(
    () => ({
      explorer,
      scene: new MapScene(explorer),
      key: Math.random().toString(36).slice(2),
    }),
    [explorer],
  );
  // On a phone one part at a time.
  const tab = useSignal<Part>('map');
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    document.title = explorer.manifest.title;
  }, [explorer]);
  useEffect(
    () => listen({ explorer, root: root.current!, show: (part) => (tab.value = part) }),
    [explorer],
  );
  // An answer is seen on the map.
  useSignalEffect(() => {
    if (answerOf(explorer).value !== null) tab.value = 'map';
  });
  return (
    <SharedContext.Provider value={shared}>
      <div ref={root} class="nb101" data-theme={theme.value} data-tab={tab.value}>
        <Header onFound={() => (tab.value = 'panels')} />
        <Notice />
        <nav class="nb-tabs" aria-label="Parts">
          {TABS.map(([name, label]) => (
            <button
              key={name}
              type="button"
              aria-pressed={tab.value === name}
              onClick={() => (tab.value = name)}
            >
              {label}
            </button>
          ))}
        </nav>
        <main class="nb-main">
          <aside class="nb-left">
            <Filters />
          </aside>
          <section class="nb-centre" aria-label="Map">
            <Answered />
            <Toolbar />
            <MapView />
          </section>
          <aside class="nb-right">
            <Answered />
            <Panels />
          </aside>
        </main>
      </div>
    </SharedContext.Provider>
  );
}

/** What went wrong, or was done. */
function Notice() {
  const explorer = useExplorer();
  const text = explorer.notice.value;
  return (
    <div class="nb-notice" role="status" aria-live="polite" hidden={text === null}>
      <span>{text}</span>
      <button
        type="button"
        aria-label="Close the notice"
        onClick={() => (explorer.notice.value = null)}
      >
        ×
      </button>
    </div>
  );
}
