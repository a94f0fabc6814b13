/** CellPanel */
export function CellPanel() {
  return <p class="nb-note">…</p>;
}
