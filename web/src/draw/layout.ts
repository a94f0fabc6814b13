/** Where the vertices of a cell are drawn: layers from input to output, edges around boxes. */

export interface Placed {
  readonly width: number;
  readonly height: number;
  /** Centre of each vertex. */
  readonly centres: readonly (readonly [number, number])[];
  /** A path for each edge, from box to box. */
  readonly paths: readonly { readonly edge: readonly [number, number]; readonly path: string }[];
}

export const BOX = { width: 66, height: 24 } as const;
const GAP = 24;
const BETWEEN = 12;
/** Room that an edge takes in a layer that it passes. */
const LANE = 12;

interface Slot {
  /** The vertex, or -1 for an edge that passes. */
  vertex: number;
  /** Slots of the layer above that lead here, and of the one below. */
  up: Slot[];
  down: Slot[];
  x: number;
}

/** Lay out a graph whose vertices are in topological order; n up to some tens. */
export function layout(n: number, edges: readonly (readonly [number, number])[]): Placed {
  const depth = new Array<number>(n).fill(0);
  for (const [x, y] of [...edges].sort((a, b) => a[1] - b[1] || a[0] - b[0])) {
    depth[y] = Math.max(depth[y], depth[x] + 1);
  }
  const deepest = Math.max(...depth, 1);
  depth[n - 1] = deepest;
  const layers: Slot[][] = Array.from({ length: deepest + 1 }, () => []);
  const slots = depth.map((layer, vertex) => {
    const slot: Slot = { vertex, up: [], down: [], x: 0 };
    layers[layer].push(slot);
    return slot;
  });
  const link = (above: Slot, below: Slot) => {
    above.down.push(below);
    below.up.push(above);
  };
  const routes = edges.map(([x, y]) => {
    const route = [slots[x]];
    for (let layer = depth[x] + 1; layer < depth[y]; layer++) {
      const lane: Slot = { vertex: -1, up: [], down: [], x: 0 };
      layers[layer].push(lane);
      route.push(lane);
    }
    route.push(slots[y]);
    for (let at = 1; at < route.length; at++) link(route[at - 1], route[at]);
    return { edge: [x, y] as const, route };
  });
  // Each layer by the mean place of what it hangs on, down and up some times.
  const room = (slot: Slot) => (slot.vertex < 0 ? LANE : BOX.width);
  const place = (layer: Slot[]) => {
    const total = layer.reduce((sum, slot) => sum + room(slot) + BETWEEN, -BETWEEN);
    let x = -total / 2;
    for (const slot of layer) {
      slot.x = x + room(slot) / 2;
      x += room(slot) + BETWEEN;
    }
  };
  layers.forEach(place);
  const mean = (slots: Slot[], fallback: number) =>
    slots.length === 0 ? fallback : slots.reduce((sum, { x }) => sum + x, 0) / slots.length;
  for (let sweep = 0; sweep < 6; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      const wish = new Map(layer.map((slot) => [slot, mean(down ? slot.up : slot.down, slot.x)]));
      layer.sort((a, b) => wish.get(a)! - wish.get(b)!);
      place(layer);
    }
  }
  const xs = layers.flat().flatMap((slot) => [slot.x - room(slot) / 2, slot.x + room(slot) / 2]);
  const left = Math.min(...xs);
  const step = BOX.height + GAP;
  const y = (layer: number) => BOX.height / 2 + 2 + layer * step;
  const at = (slot: Slot) => slot.x - left + 3;
  const centres = slots.map((slot, vertex) => [at(slot), y(depth[vertex])] as const);
  const paths = routes.map(({ edge, route }) => {
    const [x, target] = edge;
    // Edges leave and reach a box at places of their own.
    const spread = (own: Slot, others: Slot[], other: Slot) => {
      const sorted = [...others].sort((a, b) => a.x - b.x);
      const share = (sorted.indexOf(other) + 1) / (sorted.length + 1) - 0.5;
      return at(own) + share * Math.min(BOX.width - 12, sorted.length * 14);
    };
    let from: [number, number] = [
      spread(route[0], route[0].down, route[1]),
      y(depth[x]) + BOX.height / 2,
    ];
    let path = `M${from[0].toFixed(1)} ${from[1].toFixed(1)}`;
    for (let index = 1; index < route.length; index++) {
      const last = index === route.length - 1;
      const layer = depth[x] + index;
      const to: [number, number] = last
        ? [
            spread(route[index], route[index].up, route[index - 1]),
            y(depth[target]) - BOX.height / 2 - 4,
          ]
        : [at(route[index]), y(layer) - BOX.height / 2];
      const bend = (to[1] - from[1]) / 2;
      path += `C${from[0].toFixed(1)} ${(from[1] + bend).toFixed(1)} ${to[0].toFixed(1)} ${(to[1] - bend).toFixed(1)} ${to[0].toFixed(1)} ${to[1].toFixed(1)}`;
      from = to;
      if (!last) {
        from = [to[0], to[1] + BOX.height];
        path += `V${from[1].toFixed(1)}`;
      }
    }
    return { edge, path };
  });
  return {
    width: Math.max(...xs) - left + 6,
    height: y(deepest) + BOX.height / 2 + 3,
    centres,
    paths,
  };
}
