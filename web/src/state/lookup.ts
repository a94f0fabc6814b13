/** What people call a cell by: an id, or a hash or the beginning of one. */
import type { Explorer } from './explorer';

/** The row, or a sentence that says why there is none. */
export async function judgeText(explorer: Explorer, text: string): Promise<number | string> {
  const given = text.trim().toLowerCase();
  // As the page itself writes ids.
  const wanted = /^\d{1,3}(,\d{3})+$/.test(given) ? given.replaceAll(',', '') : given;
  if (wanted === '') return 'Type the id of a cell, or its hash.';
  if (/^\d{1,10}$/.test(wanted)) {
    const row = explorer.rowOfId(Number(wanted));
    if (row >= 0) return row;
    if (wanted.length < 8) return `There is no cell ${wanted} in this table.`;
  }
  if (!/^[0-9a-f]{6,32}$/.test(wanted)) {
    return 'An id is a number; a hash has 32 digits from 0 to f, of which six are enough.';
  }
  explorer.notice.value = 'Hashing all cells once…';
  const rows = await explorer.worker.findHash(wanted, (share) => {
    explorer.notice.value = `Hashing all cells once: ${Math.round(share * 100)} %`;
  });
  explorer.notice.value = null;
  if (rows.length === 1) return rows[0];
  if (rows.length > 1) return `${rows.length} cells have a hash that begins so: type more of it.`;
  return 'No cell of this table has this hash.';
}
