/** Beside the map: the cell in hand, comparison, searches. */
export function Panels() {
  return null;
}
