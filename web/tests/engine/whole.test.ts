/** All 423,624 cells: each, relabelled at random, is found again; hashes and neighbours agree. */

import { describe, expect, it } from 'vitest';

import { Distances, editsFrom, editsTo, hashOf, judge, wordsOf } from '../../src/engine';
import { seeded, shuffled, SPACE, whole, type Whole } from './golden';

const all = whole();

if (typeof all === 'string') it.skip(`the whole space ${all}`);
else describe('the whole space', () => tests(all));

function tests({ finder, digests, degrees, sums, distances }: Whole): void {
  it.each([true, false])(
    'finds every cell in a random form, topological %s',
    (topological) => {
      const random = seeded(topological ? 1 : 2);
      for (let row = 0; row < finder.size; row++) {
        const cell = finder.cell(row);
        const raw = shuffled(cell, random, topological);
        const verdict = judge(raw, SPACE);
        if (!verdict.ok || finder.row(verdict.cell) !== row || verdict.pruned.length > 0) {
          expect.fail(`row ${row}: ${JSON.stringify(verdict)}`);
        }
        for (const [i, vertex] of verdict.relabelling.entries()) {
          const own = raw.order[i];
          if ((cell.ops[own - 1] ?? -1) !== (cell.ops[vertex - 1] ?? -1)) expect.fail(`row ${row}`);
        }
      }
    },
    120_000,
  );

  it('gives the words back', () => {
    const { edgesLow, labelsLow, labelsHigh } = finder.columns;
    for (let row = 0; row < finder.size; row += 7) {
      const words = wordsOf(finder.cell(row));
      if (
        words[0] !== edgesLow[row] ||
        words[1] !== 0 ||
        words[2] !== labelsLow[row] ||
        words[3] !== labelsHigh[row]
      ) {
        expect.fail(`row ${row}: ${words.join()}`);
      }
    }
  });

  it('hashes 5,000 cells as the engine does', () => {
    const random = seeded(3);
    for (let i = 0; i < 5000; i++) {
      const row = Math.floor(random() * finder.size);
      const hash = Buffer.from(digests.subarray(16 * row, 16 * row + 16)).toString('hex');
      expect(hashOf(finder.cell(row))).toBe(hash);
    }
  });

  it('finds the neighbours of 60 cells', () => {
    const random = seeded(4);
    const rows = [0, 1, 2, 3, 4, 20, 100, 1000];
    while (rows.length < 60) rows.push(Math.floor(random() * finder.size));
    for (const row of rows) {
      const cell = finder.cell(row);
      const found = [...editsFrom(cell, finder, SPACE), ...editsTo(cell, finder, SPACE)];
      const near = new Set(found.map((edit) => edit.row));
      expect(near.size).toBe(found.length);
      expect(near.size).toBe(degrees[row]);
      expect([...near].reduce((sum, other) => sum + other, 0)).toBe(sums[row]);
    }
  }, 60_000);

  it('has the distances of the core', () => {
    const graph = Distances.build(finder, SPACE);
    for (let row = 0; row < finder.size; row++) {
      const near = graph.neighbours(row);
      const sum = near.reduce((sum, other) => sum + other, 0);
      if (near.length !== degrees[row] || sum !== sums[row]) expect.fail(`row ${row}`);
    }
    for (const [row, found] of distances) expect(Buffer.compare(graph.to(row), found)).toBe(0);
  }, 60_000);
}
