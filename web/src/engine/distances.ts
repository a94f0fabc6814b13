/** Edit distances: steps in the graph of neighbours, as `SearchSpace.edit_distances` has them. */

import type { SpaceShape } from './cell';
import { edgeEdits, opsAt } from './edits';
import type { Finder, Run } from './finder';
import { Labellings } from './labellings';
import { run, type Progress, type Steps } from './steps';

/** Distance of a cell that no edits lead to. */
export const UNCONNECTED = 255;
const MOST_VERTICES = 7;

/** Rows of a structure's cells after each edit of an edge. */
interface Target {
  rows: Int32Array;
  /** The labelling that each becomes; null where all stay. */
  move: Uint16Array | null;
}

export class Distances {
  private readonly queue: Uint32Array;

  /** The neighbours of row i are `targets[offsets[i]..offsets[i + 1]]`, in no order. */
  private constructor(
    private readonly offsets: Uint32Array,
    private readonly targets: Uint32Array,
  ) {
    this.queue = new Uint32Array(offsets.length - 1);
  }

  static readonly IMPOSSIBLE = `the page knows edit distances of cells of up to ${MOST_VERTICES} vertices`;

  /** Whether the distances of a space can be had: of larger ones an engine must answer. */
  static possible(space: SpaceShape): boolean {
    return space.max_vertices <= MOST_VERTICES;
  }

  /** Finds the neighbours of all cells. */
  static build(finder: Finder, space: SpaceShape, progress?: Progress): Distances {
    return run(Distances.steps(finder, space), progress);
  }

  /** The same in steps, each a few milliseconds. */
  static *steps(finder: Finder, space: SpaceShape): Steps<Distances> {
    if (!Distances.possible(space)) {
      throw new RangeError(Distances.IMPOSSIBLE);
    }
    const graph = new Edits(finder, space);
    let looked = 0;
    for (const run of finder.runs()) {
      graph.add(run);
      looked += run.end - run.begin;
      if (looked > 4096) {
        looked = 0;
        yield (0.9 * run.end) / finder.size;
      }
    }
    const { offsets, targets } = graph.bothWays();
    return new Distances(offsets, targets);
  }

  get size(): number {
    return this.offsets.length - 1;
  }

  /** Rows of all neighbours, in no order. */
  neighbours(row: number): Uint32Array {
    return this.targets.subarray(this.offsets[row], this.offsets[row + 1]);
  }

  /** The least number of edits from each cell to one; `UNCONNECTED` where none lead there. */
  to(row: number): Uint8Array {
    const { offsets, targets, queue, size } = this;
    if (!(row >= 0 && row < size)) throw new RangeError(`there is no row ${row}`);
    const distances = new Uint8Array(size).fill(UNCONNECTED);
    distances[row] = 0;
    queue[0] = row;
    let begin = 0;
    let end = 1;
    for (let steps = 1; begin < end; steps++) {
      let work = 0;
      for (let i = begin; i < end; i++) work += offsets[queue[i] + 1] - offsets[queue[i]];
      const from = end;
      if (work > targets.length / 8) {
        // Most rows left have a neighbour that was found last: they stop at the first.
        for (let other = 0; other < size; other++) {
          if (distances[other] !== UNCONNECTED) continue;
          for (let j = offsets[other]; j < offsets[other + 1]; j++) {
            if (distances[targets[j]] !== steps - 1) continue;
            distances[other] = steps;
            queue[end++] = other;
            break;
          }
        }
      } else {
        for (let i = begin; i < from; i++) {
          for (let j = offsets[queue[i]]; j < offsets[queue[i] + 1]; j++) {
            const other = targets[j];
            if (distances[other] !== UNCONNECTED) continue;
            distances[other] = steps;
            queue[end++] = other;
          }
        }
      }
      begin = from;
    }
    return distances;
  }
}

/** What edits lead to from each row, as rows are added. */
class Edits {
  private readonly labellings: Labellings | null;
  private readonly ends: Uint32Array;
  private targets: Uint32Array;
  private count = 0;
  /** The row that each one was a target of last, and one more: targets are listed once. */
  private readonly last: Uint32Array;

  constructor(
    private readonly finder: Finder,
    private readonly space: SpaceShape,
  ) {
    this.labellings = Labellings.fits(finder) ? new Labellings(finder) : null;
    this.ends = new Uint32Array(finder.size);
    this.last = new Uint32Array(finder.size);
    this.targets = new Uint32Array(16 * finder.size + 1024);
  }

  /** Adds the rows of a structure; the runs are added in order. */
  add(run: Run): void {
    if (this.labellings === null) this.addOneByOne(run);
    else this.addByTables(run, this.labellings);
  }

  private addByTables(run: Run, labellings: Labellings): void {
    const { columns } = run;
    const ops = labellings.ops;
    const own = labellings.rows(columns)!;
    const targets: Target[] = [];
    for (const edit of edgeEdits(columns, this.space.max_edges)) {
      const rows = labellings.rows(edit.columns);
      if (rows !== null) targets.push({ rows, move: labellings.move(columns.length, edit.order) });
    }
    this.reserve((run.end - run.begin) * (targets.length + ops * columns.length));
    for (let row = run.begin; row < run.end; row++) {
      const code = labellings.code(row);
      for (let weight = 1, vertex = columns.length - 2; vertex > 0; vertex--, weight *= ops) {
        const op = Math.floor(code / weight) % ops;
        for (let other = 0; other < ops; other++) {
          if (other !== op) this.reach(row, own[code + (other - op) * weight]);
        }
      }
      for (const { rows, move } of targets) {
        this.reach(row, rows[move === null ? code : move[code]]);
      }
      this.ends[row] = this.count;
    }
  }

  private addOneByOne(run: Run): void {
    const { columns } = run;
    const { finder, space } = this;
    const edits = [...edgeEdits(columns, space.max_edges)];
    this.reserve((run.end - run.begin) * (edits.length + space.ops.length * columns.length));
    for (let row = run.begin; row < run.end; row++) {
      const ops = finder.ops(row);
      ops.forEach((op, i) => {
        for (let other = 0; other < space.ops.length; other++) {
          if (other !== op) this.reach(row, finder.find(columns, ops.with(i, other)));
        }
      });
      for (const edit of edits) {
        this.reach(row, finder.find(edit.columns, opsAt(ops, edit.order)));
      }
      this.ends[row] = this.count;
    }
  }

  private reserve(more: number): void {
    if (this.count + more <= this.targets.length) return;
    const larger = new Uint32Array(Math.max(this.count + more, Math.ceil(1.5 * this.count)));
    larger.set(this.targets.subarray(0, this.count));
    this.targets = larger;
  }

  private reach(row: number, target: number): void {
    if (target < 0 || target === row || this.last[target] === row + 1) return;
    this.last[target] = row + 1;
    this.targets[this.count++] = target;
  }

  /** The same with the edges back from smaller cells, which no edit of those makes. */
  bothWays(): { offsets: Uint32Array; targets: Uint32Array } {
    const { ends, targets, finder } = this;
    const size = finder.size;
    const { labelsHigh } = finder.columns;
    const offsets = new Uint32Array(size + 1);
    for (let row = 0, i = 0; row < size; row++) {
      offsets[row + 1] += ends[row] - i;
      for (; i < ends[row]; i++) {
        if (labelsHigh[targets[i]] >>> 28 < labelsHigh[row] >>> 28) offsets[targets[i] + 1]++;
      }
    }
    for (let row = 0; row < size; row++) offsets[row + 1] += offsets[row];
    const free = offsets.slice(0, size);
    const both = new Uint32Array(offsets[size]);
    for (let row = 0, i = 0; row < size; row++) {
      for (; i < ends[row]; i++) {
        const target = targets[i];
        both[free[row]++] = target;
        if (labelsHigh[target] >>> 28 < labelsHigh[row] >>> 28) both[free[target]++] = row;
      }
    }
    return { offsets, targets: both };
  }
}
