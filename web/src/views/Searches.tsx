/** Searches */
export function Searches() {
  return <p class="nb-note">…</p>;
}
