/** A sheet over the page, and the button that opens it. Escape closes; focus goes back. */
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { useOwnId } from './context';
import './sheets.css';

interface Props {
  /** What the button says. */
  label: string;
  /** Said to screen readers where the label is a sign. */
  name?: string;
  heading: string;
  /** What keys open it by: see `keys`. */
  opens: 'help' | 'export';
  children: (close: () => void) => ComponentChildren;
}

export function Dialog({ label, name, heading, opens, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = useSignal(false);
  const id = useOwnId();
  const close = () => dialog.current?.close();
  return (
    <>
      <button
        type="button"
        class={name === undefined ? undefined : 'nb-icon'}
        data-opens={opens}
        aria-haspopup="dialog"
        aria-label={name}
        title={name}
        onClick={() => {
          open.value = true;
          dialog.current!.showModal();
        }}
      >
        {label}
      </button>
      <dialog
        ref={dialog}
        class="nb-sheet"
        aria-labelledby={id}
        onClose={() => (open.value = false)}
        onClick={(event) => {
          // Beside the sheet.
          if (event.target === dialog.current) close();
        }}
      >
        <div class="nb-sheet-body">
          <header class="nb-row">
            <h2 id={id}>{heading}</h2>
            <button type="button" class="nb-icon" aria-label="Close" onClick={close}>
              ×
            </button>
          </header>
          {open.value && children(close)}
        </div>
      </dialog>
    </>
  );
}
