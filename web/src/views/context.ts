/** The explorer that a view belongs to: several may be on one page. */
import { createContext } from 'preact';
import { useContext, useId } from 'preact/hooks';
import type { Explorer } from '../state/explorer';
import type { MapScene } from '../state/scene';

export interface Shared {
  readonly explorer: Explorer;
  readonly scene: MapScene;
  /** What no other explorer on the page is called. */
  readonly key: string;
}

export const SharedContext = createContext<Shared | null>(null);

export function useShared(): Shared {
  const shared = useContext(SharedContext);
  if (shared === null) throw new Error('a view stands outside of an explorer');
  return shared;
}

export const useExplorer = (): Explorer => useShared().explorer;

/** An id that nothing else on the page has: those of Preact begin anew in each explorer. */
export function useOwnId(): string {
  return `${useId()}-${useShared().key}`;
}
