/** Paths of searches on the map, up to the moment that is replayed. */
interface Props {
  pixelsOf: (row: number) => [number, number] | null;
}

export function TraceOverlay(_: Props) {
  return null;
}
