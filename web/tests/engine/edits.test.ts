/** Neighbours and distances in whole small spaces, and in parts of them, against the core's. */

import { describe, expect, it } from 'vitest';

import { Distances, editsFrom, editsTo, Finder, judge, UNCONNECTED } from '../../src/engine';
import { Labellings } from '../../src/engine/labellings';
import { bytesOf, finderOf, golden } from './golden';

function named({ max_vertices, max_edges, ops }: Finder['space']): string {
  return `${max_vertices} vertices, ${max_edges} edges, ${ops.length} ops`;
}

const spaces = golden.spaces.map((kept) => {
  const finder = finderOf(kept, kept.space);
  return { name: named(kept.space), kept, finder, space: kept.space };
});

/** Every third row left out. */
function partOf({ columns, space }: Finder): { part: Finder; rows: number[] } {
  const rows = Array.from(columns.edgesLow.keys()).filter((row) => row % 3 !== 1);
  const pick = (column: Uint32Array): Uint32Array => Uint32Array.from(rows, (row) => column[row]);
  const { edgesLow, edgesHigh, labelsLow, labelsHigh } = columns;
  const part = new Finder(
    {
      edgesLow: pick(edgesLow),
      edgesHigh: edgesHigh && pick(edgesHigh),
      labelsLow: pick(labelsLow),
      labelsHigh: pick(labelsHigh),
    },
    space,
  );
  return { part, rows };
}

describe.each(spaces)('a space of $name', ({ kept, finder, space }) => {
  it('finds each row', () => {
    for (let row = 0; row < finder.size; row++) expect(finder.row(finder.cell(row))).toBe(row);
  });

  it('has the neighbours of the core, each with an edit', () => {
    for (const [row, neighbours] of Object.entries(kept.neighbours)) {
      const cell = finder.cell(Number(row));
      const edits = [...editsFrom(cell, finder, space), ...editsTo(cell, finder, space)];
      expect(edits.map((edit) => edit.row).sort((a, b) => a - b)).toEqual(neighbours);
      for (const edit of edits.slice(0, 200)) {
        // The edit made by hand.
        const [source, target] =
          edit.direction === 'from' ? [cell, edit.row] : [finder.cell(edit.row), Number(row)];
        const matrix = Array.from({ length: source.n }, () => new Uint8Array(source.n));
        for (const [x, y] of source.edges) matrix[x][y] = 1;
        const ops = [...source.ops];
        if (edit.kind === 'op-changed') {
          expect(ops[edit.detail.vertex - 1]).toBe(edit.detail.from);
          ops[edit.detail.vertex - 1] = edit.detail.to;
          expect(edit.says).toContain(`op of vertex ${edit.detail.vertex}: `);
        } else {
          const [x, y] = edit.detail.edge;
          matrix[x][y] ^= 1;
          expect(edit.kind).toBe(matrix[x][y] ? 'edge-added' : 'edge-removed');
          expect(edit.says).toContain(`edge ${x}→${y} ${matrix[x][y] ? 'added' : 'removed'}`);
        }
        const verdict = judge({ matrix, ops }, space);
        if (!verdict.ok) throw new Error(verdict.why);
        expect(finder.row(verdict.cell)).toBe(target);
        expect(verdict.pruned.length).toBe(edit.pruned);
      }
    }
  });

  it('finds those that the table has, where it is a part', () => {
    const { part, rows } = partOf(finder);
    for (const [row, neighbours] of Object.entries(kept.neighbours)) {
      const cell = finder.cell(Number(row));
      const edits = [...editsFrom(cell, part, space), ...editsTo(cell, part, space)];
      const found = edits.map((edit) => rows[edit.row]).sort((a, b) => a - b);
      expect(found).toEqual(neighbours.filter((near) => near % 3 !== 1));
    }
  });

  it.runIf(Distances.possible(space))('has the distances of the core', () => {
    const parts: number[] = [];
    const graph = Distances.build(finder, space, (part) => parts.push(part));
    for (const [row, text] of Object.entries(kept.distances)) {
      expect(graph.to(Number(row))).toEqual(bytesOf(text));
    }
    for (const [row, neighbours] of Object.entries(kept.neighbours)) {
      expect([...graph.neighbours(Number(row))].sort((a, b) => a - b)).toEqual(neighbours);
    }
    expect(parts.every((part) => part >= 0 && part <= 1)).toBe(true);
    expect(() => graph.to(finder.size)).toThrow(RangeError);
  });

  it.runIf(Distances.possible(space))(
    'has a graph of what is in the table, where it is a part',
    () => {
      const { part, rows } = partOf(finder);
      const graph = Distances.build(part, space);
      for (const [row, neighbours] of Object.entries(kept.neighbours)) {
        if (Number(row) % 3 === 1) continue;
        const found = [...graph.neighbours(rows.indexOf(Number(row)))];
        const near = neighbours.filter((other) => other % 3 !== 1);
        expect(found.map((other) => rows[other]).sort((a, b) => a - b)).toEqual(near);
      }
      // Breadth first, plainly.
      const plain = new Uint8Array(part.size).fill(UNCONNECTED);
      plain[7] = 0;
      for (let edge = [7], steps = 1; edge.length > 0; steps++) {
        edge = edge.flatMap((row) =>
          [...graph.neighbours(row)].filter((other) => {
            const isNew = plain[other] === UNCONNECTED;
            if (isNew) plain[other] = steps;
            return isNew;
          }),
        );
      }
      expect(graph.to(7)).toEqual(plain);
    },
  );

  it.runIf(!Distances.possible(space))('has no distances where cells are larger', () => {
    expect(() => Distances.build(finder, space)).toThrow('7 vertices');
  });
});

it('takes both ways to find what labellings are of', () => {
  expect(new Set(spaces.map(({ finder }) => Labellings.fits(finder)))).toEqual(
    new Set([true, false]),
  );
});
