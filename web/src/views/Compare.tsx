/** Compare */
export function Compare() {
  return <p class="nb-note">…</p>;
}
