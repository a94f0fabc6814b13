/** The page: the data beside it, and its state in the address. */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { Files } from './source';
import { addressOf, takeAddress } from './state/address';
import { open, sentence } from './state/explorer';
import { replayOf } from './state/replay';
import './style.css';
import { App } from './views/App';

const root = document.getElementById('app')!;

async function main(): Promise<void> {
  const explorer = await open(new Files());
  const parts = [replayOf(explorer).part];
  let own = '';
  const take = () => {
    const text = location.hash.slice(1);
    if (text !== own) takeAddress(explorer, text, parts);
  };
  take();
  addEventListener('hashchange', take);
  let waiting = 0;
  effect(() => {
    const text = addressOf(explorer, parts);
    clearTimeout(waiting);
    // Browsers refuse more than some hundred changes in half a minute.
    waiting = window.setTimeout(() => {
      const surface = new URLSearchParams(location.hash.slice(1)).get('surface');
      own = surface === null ? text : `${text}&surface=${surface}`;
      if (own !== location.hash.slice(1)) history.replaceState(null, '', `#${own}`);
    }, 250);
  });
  root.replaceChildren();
  render(<App explorer={explorer} />, root);
}

main().catch((error: unknown) => {
  const note = document.createElement('p');
  note.className = 'nb-wait';
  note.setAttribute('role', 'alert');
  note.textContent = `The table cannot be shown: ${sentence(error)}`;
  root.replaceChildren(note);
});
