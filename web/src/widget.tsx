/** The explorer in a notebook: bytes come from the kernel, selections go there. By anywidget. */
import { effect } from '@preact/signals';
import { render as draw } from 'preact';
import { plain, SourceError } from './source';
import type { Source } from './source';
import { addressOf, takeAddress } from './state/address';
import { open, sentence } from './state/explorer';
import type { Explorer } from './state/explorer';
import { replayOf } from './state/replay';
import './style.css';
import { App } from './views/App';

/** What anywidget gives: Jupyter's, VS Code's or marimo's model. */
interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, callback: (...values: never[]) => void): void;
  off(event: string, callback?: (...values: never[]) => void): void;
}

interface Answer {
  type: 'data' | 'error';
  id: string;
  message?: string;
}

/** Files by messages: each view has numbers of its own, since all of them hear all answers. */
class Kernel implements Source {
  private readonly waiting = new Map<
    string,
    { resolve: (bytes: ArrayBuffer) => void; reject: (error: Error) => void }
  >();
  private readonly own = Math.random().toString(36).slice(2);
  private asked = 0;
  private readonly hear = (answer: Answer, buffers: readonly DataView[]) => {
    const asker = this.waiting.get(answer.id);
    if (asker === undefined) return;
    this.waiting.delete(answer.id);
    if (answer.type === 'error') asker.reject(new SourceError(answer.message ?? 'no answer'));
    else {
      const { buffer, byteOffset, byteLength } = buffers[0];
      asker.resolve((buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength));
    }
  };

  constructor(private readonly model: Model) {
    model.on('msg:custom', this.hear);
  }

  async bytes(path: string): Promise<ArrayBuffer> {
    const id = `${this.own}-${this.asked++}`;
    const answer = new Promise<ArrayBuffer>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
    });
    this.model.send({ type: 'get', path, id });
    return plain(await answer);
  }

  close(): void {
    this.model.off('msg:custom', this.hear);
  }
}

function rowsOf(value: unknown): Uint32Array {
  if (!(value instanceof DataView)) return new Uint32Array(0);
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  return new Uint32Array(bytes.buffer);
}

function connect(model: Model, explorer: Explorer): () => void {
  const parts = [replayOf(explorer).part];
  const highlight = () => (explorer.highlighted.value = rowsOf(model.get('_highlight')));
  const select = () => {
    const rows = rowsOf(model.get('_select'));
    explorer.region.value = null;
    explorer.chosen.value = model.get('_select_count') === 0 || rows.length === 0 ? null : rows;
  };
  const state = model.get('_state');
  if (typeof state === 'string' && state !== '') takeAddress(explorer, state, parts);
  highlight();
  if (model.get('_select_count') !== 0) select();
  model.on('change:_highlight', highlight);
  model.on('change:_select_count', select);
  let waiting = 0;
  const later = (act: () => void) => {
    clearTimeout(waiting);
    waiting = window.setTimeout(act, 200);
  };
  const stop = effect(() => {
    const text = addressOf(explorer, parts);
    // Without a choice nothing is selected, and not everything.
    const any = explorer.selected.value !== null || explorer.filters.names.length > 0;
    const rows = any ? explorer.rowsLeft.value : new Uint32Array(0);
    later(() => {
      const bytes = rows.slice();
      model.set('_selection', new DataView(bytes.buffer));
      model.set('_state', text);
      model.save_changes();
    });
  });
  return () => {
    stop();
    clearTimeout(waiting);
    model.off('change:_highlight', highlight);
    model.off('change:_select_count', select);
  };
}

/**
 * Keys that are pressed within a view are its own. JupyterLab would take them: `d` twice deletes the
 * notebook's cell, and Enter in a field is kept from it.
 */
function keepKeys(frame: HTMLElement): void {
  frame.addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}

async function render({ model, el }: { model: Model; el: HTMLElement }): Promise<() => void> {
  const frame = document.createElement('div');
  frame.className = 'nb101-frame';
  keepKeys(frame);
  const height = model.get('height');
  frame.style.height = `${typeof height === 'number' ? height : 640}px`;
  frame.textContent = 'Reading the table…';
  el.append(frame);
  const kernel = new Kernel(model);
  try {
    const explorer = await open(kernel);
    const disconnect = connect(model, explorer);
    frame.textContent = '';
    draw(<App explorer={explorer} />, frame);
    return () => {
      disconnect();
      kernel.close();
      draw(null, frame);
      explorer.destroy();
    };
  } catch (error) {
    frame.textContent = `The table cannot be shown: ${sentence(error)}`;
    return () => kernel.close();
  }
}

export default { render };
