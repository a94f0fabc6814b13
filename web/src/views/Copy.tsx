/** Text that is copied at a click. */
import { useSignal } from '@preact/signals';

export function Copy({ text, label, shown }: { text: string; label: string; shown?: string }) {
  const done = useSignal(false);
  const copy = async () => {
    await copyText(text);
    done.value = true;
    setTimeout(() => (done.value = false), 1500);
  };
  return (
    <button
      type="button"
      class="nb-copy"
      title={`Copy ${label}`}
      aria-label={done.value ? `${label} copied` : `Copy ${label}: ${text}`}
      onClick={() => void copy()}
    >
      <code>{shown ?? text}</code>
      <svg width="13" height="13" viewBox="0 0 13 13" aria-hidden="true">
        <path d={done.value ? 'M2 7L5 10L11 3' : 'M4 4H11V12H4ZM2 9V2H9'} />
      </svg>
    </button>
  );
}

/** Copy text; where the page may not (a notebook's frame), by a field that is selected. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.style.position = 'fixed';
    field.style.opacity = '0';
    document.body.append(field);
    field.select();
    // The one way that is left where the clipboard is closed to a page.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    document.execCommand('copy');
    field.remove();
  }
}
