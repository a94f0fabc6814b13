/** Keys that work anywhere on the page, but not while one types. */
import { signal } from '@preact/signals';
import type { Explorer, Panel } from '../state/explorer';

const OFF = 'nb101-no-keys';

/** Whether single keys do anything: those who speak to their machine may not want it. */
export const keysOn = signal(remembered());

function remembered(): boolean {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}

export function switchKeys(on: boolean): void {
  keysOn.value = on;
  try {
    if (on) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, 'yes');
  } catch {
    // It holds until the page is left.
  }
}

export type Part = 'filters' | 'map' | 'panels';

export interface KeyedPage {
  readonly explorer: Explorer;
  readonly root: HTMLElement;
  /** Have a part seen, where a narrow page shows one at a time. */
  readonly show: (part: Part) => void;
}

const PANELS: readonly Panel[] = ['cell', 'compare', 'searches', 'campaign'];

/** What a key does; false if nothing. */
export function press(key: string, { explorer, root, show }: KeyedPage): boolean {
  const focus = (selector: string) =>
    requestAnimationFrame(() => root.querySelector<HTMLElement>(selector)?.focus());
  const opened = (sheet: string) =>
    root.querySelector<HTMLElement>(`[data-opens="${sheet}"]`)?.click();
  switch (key) {
    case '?':
      opened('help');
      return true;
    case 'e':
      opened('export');
      return true;
    case '/':
      focus('.nb-find input');
      return true;
    case 'f':
      show('filters');
      focus('.nb-filters input, .nb-filters select');
      return true;
    case 'm':
      show('map');
      focus('.nb-overlay');
      return true;
    case 'b':
      explorer.back();
      return true;
    case 'p': {
      const row = explorer.inHand.peek()?.row ?? -1;
      if (row >= 0) explorer.pin(row);
      return row >= 0;
    }
    case 'd':
      explorer.mode.value = explorer.mode.peek() === 'density' ? 'points' : 'density';
      return true;
    case 'u':
      explorer.unselect();
      return true;
  }
  const panel = /^[1-4]$/.test(key) ? PANELS[Number(key) - 1] : null;
  const { traces, campaign } = explorer.manifest;
  if (panel === null || (panel === 'searches' && traces.length === 0)) return false;
  if (panel === 'campaign' && campaign === null) return false;
  show('panels');
  explorer.panel.value = panel;
  return true;
}

/** Whether somebody types or chooses there. */
function takesText(target: Element): boolean {
  return target.matches(
    'input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]',
  );
}

/**
 * Listen; the answer ends it. On a page of several views (a notebook) a view hears only keys that are
 * pressed within it.
 */
export function listen(page: KeyedPage): () => void {
  const { root } = page;
  const hear = (event: KeyboardEvent) => {
    if (!keysOn.peek() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.defaultPrevented || event.isComposing) return;
    // Out of a shadow root, where a notebook may have put the view.
    const target = event.composedPath()[0];
    if (!(target instanceof Element)) return;
    const alone = target === document.body && root.parentElement?.id === 'app';
    if (!(root.contains(target) || alone) || takesText(target)) return;
    if (root.querySelector('dialog[open]') !== null) return;
    if (press(event.key, page)) event.preventDefault();
  };
  // On the way down: a notebook's view lets no key out.
  document.addEventListener('keydown', hear, true);
  return () => document.removeEventListener('keydown', hear, true);
}
