/** Campaign */
export function Campaign() {
  return <p class="nb-note">…</p>;
}
