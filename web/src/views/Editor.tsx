/** Change a cell: the page says at once which cell that is, what was pruned, or why it is none. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { judge, shortOp } from '../engine';
import type { Verdict } from '../engine';
import { CellDrawing } from '../draw/CellDrawing';
import type { InHand } from '../state/explorer';
import { useExplorer } from './context';

interface Draft {
  readonly matrix: readonly (readonly boolean[])[];
  readonly ops: readonly number[];
}

/** Vertices that can be drawn: some more than a cell may have, since they may be pruned. */
const MOST_EXTRA = 2;

export function Editor({ start, onDone }: { start: InHand; onDone: () => void }) {
  const explorer = useExplorer();
  const { space } = explorer.manifest;
  const draft = useSignal<Draft>(draftOf(start));
  const chosen = useSignal<number | null>(null);
  const { matrix, ops } = draft.value;
  const n = matrix.length;
  const verdict: Verdict = judge(draft.value, space);
  const row = verdict.ok ? explorer.finder.row(verdict.cell) : -1;

  // All else follows: the map, the numbers, the neighbours.
  useEffect(() => {
    if (!verdict.ok) return;
    const now = explorer.inHand.peek();
    if (now !== null && now.row === row && (row >= 0 || same(now.cell, verdict.cell))) return;
    explorer.take({ cell: verdict.cell, row });
  }, [draft.value]);
  // Another cell was taken (a neighbour, the map, the way back): that one is edited now.
  const inHand = explorer.inHand.value;
  useEffect(() => {
    if (inHand === null) return;
    const judged = judge(draft.peek(), space);
    if (!judged.ok || !same(judged.cell, inHand.cell)) {
      const wrong = !judged.ok && inHand === start;
      if (!wrong) draft.value = draftOf(inHand);
      chosen.value = null;
    }
  }, [inHand]);

  const toggle = (x: number, y: number) => {
    draft.value = {
      ops,
      matrix: matrix.map((line, at) =>
        at === x ? line.map((one, to) => (to === y ? !one : one)) : line,
      ),
    };
  };
  const setOp = (vertex: number, op: number) => {
    draft.value = { matrix, ops: ops.map((own, at) => (at === vertex - 1 ? op : own)) };
  };
  /** A new vertex before the output, on a path from input to output. */
  const add = () => {
    const wide = matrix.map((line) => [...line.slice(0, n - 1), false, line[n - 1]]);
    const fresh = new Array<boolean>(n + 1).fill(false);
    fresh[n] = true;
    wide.splice(n - 1, 0, fresh);
    wide[0][n - 1] = true;
    draft.value = { matrix: wide, ops: [...ops, 0] };
    chosen.value = n - 1;
  };
  const drop = (vertex: number) => {
    draft.value = {
      matrix: matrix
        .filter((_, x) => x !== vertex)
        .map((line) => line.filter((_, y) => y !== vertex)),
      ops: ops.filter((_, at) => at !== vertex - 1),
    };
    chosen.value = null;
  };
  /** Two clicks in the drawing set or remove an edge between two vertices. */
  const click = (vertex: number) => {
    const first = chosen.value;
    if (first === null) chosen.value = vertex;
    else {
      chosen.value = null;
      if (first !== vertex) toggle(Math.min(first, vertex), Math.max(first, vertex));
    }
  };
  const edges = matrix.flatMap((line, x) =>
    line.flatMap((one, y) => (one ? [[x, y] as const] : [])),
  );
  const pruned = new Set(verdict.ok ? verdict.pruned : []);
  return (
    <div class="nb-editor">
      <p class="nb-note">
        Click two vertices to add or remove the edge between them, or use the grid.
      </p>
      <CellDrawing
        n={n}
        edges={edges}
        ops={ops}
        names={space.ops}
        label="The cell as it is being changed"
        faint={pruned}
        chosen={chosen.value}
        onVertex={click}
      />
      <p
        class={`nb-verdict${verdict.ok ? '' : ' nb-no-cell'}`}
        role="status"
        data-ok={verdict.ok}
        data-row={row}
      >
        {says(verdict, row, row >= 0 ? explorer.id(row) : -1)}
      </p>
      <table class="nb-grid" aria-label="Edges: from the row's vertex to the column's">
        <thead>
          <tr>
            <td />
            {matrix.map(
              (_, y) =>
                y > 0 && (
                  <th key={y} scope="col">
                    {y === n - 1 ? 'out' : y}
                  </th>
                ),
            )}
            <th scope="col">op</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {matrix.slice(0, -1).map((line, x) => (
            <tr key={x}>
              <th scope="row">{x === 0 ? 'in' : x}</th>
              {line.map(
                (one, y) =>
                  y > 0 && (
                    <td key={y}>
                      {y > x && (
                        <button
                          type="button"
                          aria-pressed={one}
                          aria-label={`Edge from ${nameOf(x, n)} to ${nameOf(y, n)}`}
                          onClick={() => toggle(x, y)}
                        >
                          {one ? '1' : '·'}
                        </button>
                      )}
                    </td>
                  ),
              )}
              <td>
                {x > 0 && (
                  <select
                    aria-label={`Op of vertex ${x}`}
                    value={ops[x - 1]}
                    onChange={(event) => setOp(x, Number(event.currentTarget.value))}
                  >
                    {space.ops.map((name, op) => (
                      <option key={name} value={op}>
                        {shortOp(name)}
                      </option>
                    ))}
                  </select>
                )}
              </td>
              <td>
                {x > 0 && (
                  <button
                    type="button"
                    class="nb-icon"
                    aria-label={`Drop vertex ${x}`}
                    onClick={() => drop(x)}
                  >
                    ×
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="nb-row">
        <button type="button" disabled={n >= space.max_vertices + MOST_EXTRA} onClick={add}>
          Add a vertex
        </button>
        <button type="button" onClick={onDone}>
          Done
        </button>
      </div>
    </div>
  );
}

function nameOf(vertex: number, n: number): string {
  return vertex === 0 ? 'input' : vertex === n - 1 ? 'output' : `vertex ${vertex}`;
}

function says(verdict: Verdict, row: number, id: number): string {
  if (!verdict.ok) return `No cell: ${verdict.why}`;
  const { pruned } = verdict;
  const lost =
    pruned.length === 0
      ? ''
      : pruned.length === 1
        ? ` Vertex ${pruned[0]} is on no path and was pruned.`
        : ` Vertices ${pruned.join(', ')} are on no path and were pruned.`;
  const which =
    row >= 0 ? `This is cell ${id.toLocaleString('en')}.` : 'This table has no such cell.';
  return which + lost;
}

function draftOf({ cell }: InHand): Draft {
  const matrix = Array.from({ length: cell.n }, () => new Array<boolean>(cell.n).fill(false));
  for (const [x, y] of cell.edges) matrix[x][y] = true;
  return { matrix, ops: [...cell.ops] };
}

function same(a: InHand['cell'], b: InHand['cell']): boolean {
  return a.n === b.n && a.ops.join() === b.ops.join() && a.edges.join() === b.edges.join();
}
