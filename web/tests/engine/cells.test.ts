/** Words, verdicts, reference forms, hashes and shapes against kept answers of the core. */

import { describe, expect, it } from 'vitest';

import {
  cellOfWords,
  differences,
  hashOf,
  judge,
  least,
  md5,
  pathsOf,
  shape,
  shortOp,
  wordsOf,
  type Cell,
  type Raw,
} from '../../src/engine';
import { cellsOf, golden, seeded, shuffled, SPACE } from './golden';

const samples = [golden.sample, ...golden.large];

function rawOf(matrix: readonly string[], ops: readonly number[]): Raw {
  return { matrix: matrix.map((row) => Uint8Array.from(row, Number)), ops };
}

describe('words', () => {
  it('come back', () => {
    for (const facts of samples) {
      for (const cell of cellsOf(facts)) expect(cellOfWords(...wordsOf(cell))).toEqual(cell);
    }
  });

  it('lie as in the core', () => {
    const cell: Cell = {
      n: 4,
      edges: [
        [0, 1],
        [1, 2],
        [0, 3],
        [2, 3],
      ],
      ops: [2, 1],
    };
    expect(wordsOf(cell)).toEqual([0b101101, 0, 0x10000000, 0x40000002]);
  });
});

describe('what is drawn', () => {
  it.each(golden.modules)(
    'is the cell that it is for nb101: $matrix $ops',
    ({ matrix, ops, is }) => {
      const raw = rawOf(matrix, ops);
      const verdict = judge(raw, SPACE);
      if (typeof is === 'string') {
        expect(verdict).toMatchObject({ ok: false });
        expect(verdict.ok ? '' : verdict.why).toContain(is);
        return;
      }
      if (!verdict.ok) throw new Error(verdict.why);
      const { cell, pruned, relabelling } = verdict;
      expect(wordsOf(cell)).toEqual(is);
      expect(pruned.every((vertex) => relabelling[vertex] === -1)).toBe(true);
      expect(pruned.length + cell.n).toBe(matrix.length);
      const edges = new Set(cell.edges.map(String));
      for (let x = 0; x < matrix.length; x++) {
        for (let y = 0; y < matrix.length; y++) {
          if (relabelling[x] < 0 || relabelling[y] < 0) continue;
          const has = edges.has([relabelling[x], relabelling[y]].join());
          expect(has).toBe(matrix[x][y] === '1');
        }
        if (x > 0 && relabelling[x] > 0 && x < matrix.length - 1) {
          expect(cell.ops[relabelling[x] - 1]).toBe(ops[x - 1]);
        }
      }
    },
  );

  it('may have edges down, as long as there is no cycle', () => {
    const down = rawOf(['00100', '00010', '01000', '00001', '00000'], [0, 1, 2]);
    const up = rawOf(['01000', '00100', '00010', '00001', '00000'], [1, 0, 2]);
    const verdict = judge(down, SPACE);
    expect(verdict).toMatchObject({ ok: true, relabelling: [0, 2, 1, 3, 4] });
    expect(verdict.ok && verdict.cell).toEqual(least(judged(up)));
  });

  it.each([
    [rawOf(['0'], []), 'an output'],
    [rawOf(['01', '00', '00'], [0]), 'square'],
    [rawOf(['011', '001', '000'], []), 'as many ops'],
    [rawOf(['011', '001', '000'], [3]), 'op of vertex 1 is none'],
    [rawOf(['011', '011', '000'], [0]), 'vertex 1 to itself'],
    [rawOf(['011', '101', '000'], [0]), 'vertex 1 into input'],
    [rawOf(['011', '001', '010'], [0]), 'out of output to vertex 1'],
    [rawOf(['00', '00'], []), 'No path'],
    [rawOf(['01000', '00100', '00010', '01001', '00000'], [0, 1, 2]), 'a cycle: 1 → 2 → 3 → 1.'],
    [
      rawOf(
        Array.from({ length: 40 }, () => '0'.repeat(40)),
        [],
      ),
      '30 vertices at most',
    ],
  ])('is refused with a sentence', (raw, why) => {
    const verdict = judge(raw, SPACE);
    expect(verdict.ok ? '' : verdict.why).toContain(why);
    expect(verdict.ok ? '' : verdict.why).toMatch(/^[A-Z0-9].*\.$/);
  });

  it('says how many edges are too many', () => {
    const full = ['01111', '00111', '00011', '00001', '00000'];
    const verdict = judge(rawOf(full, [0, 0, 0]), SPACE);
    expect(verdict).toEqual({
      ok: false,
      why: '10 edges, and a cell of this space has 9 at most.',
    });
  });
});

function judged(raw: Raw): Cell {
  const verdict = judge(raw, SPACE);
  if (!verdict.ok) throw new Error(verdict.why);
  return verdict.cell;
}

describe('reference forms', () => {
  it('are found from any form, of large cells too', () => {
    const random = seeded(5);
    for (const facts of samples) {
      for (const cell of cellsOf(facts)) {
        for (const topological of [true, false]) {
          const verdict = judge(shuffled(cell, random, topological), facts.space);
          expect(verdict.ok && verdict.cell).toEqual(cell);
        }
      }
    }
  });
});

describe('hashes', () => {
  it.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['1234567890'.repeat(8), '57edf4a22be3c955ac49da2e2107b67a'],
    ['a'.repeat(55), 'ef1772b6dff9a122358552954ad0df65'],
    ['a'.repeat(56), '3b0c8ac703f828b04c6c197006d17218'],
    ['a'.repeat(64), '014842d480b571495a4a0363793f7367'],
  ])('are MD5: %j', (text, hash) => expect(md5(text)).toBe(hash));

  it('are those of the engine', () => {
    for (const facts of samples) {
      const hashes = cellsOf(facts).map((cell) => hashOf(cell, facts.space));
      expect(hashes).toEqual(facts.hashes);
    }
  });

  it('are refused where an op is none of the space', () => {
    const cell: Cell = { n: 3, edges: [[0, 1], [1, 2]], ops: [3] }; // prettier-ignore
    expect(() => hashOf(cell, SPACE)).toThrow(RangeError);
  });
});

describe('shapes', () => {
  it('are those of the engine', () => {
    for (const facts of samples) {
      cellsOf(facts).forEach((cell, i) => {
        const found = shape(cell, facts.space);
        expect(found.depth).toBe(facts.depth[i]);
        expect(found.width).toBe(facts.width[i]);
        expect(found.edges).toBe(cell.edges.length);
        expect(found.vertices).toBe(cell.n);
        expect(found.opCounts.length).toBe(facts.space.ops.length);
        expect(found.opCounts.reduce((sum, count) => sum + count, 0)).toBe(cell.n - 2);
      });
    }
  });

  it('count what the last ops are', () => {
    expect(shape(judged(rawOf(['011', '001', '000'], [1]))).opCounts).toEqual([0, 1]);
  });

  it('have paths as long as they are deep', () => {
    for (const cell of cellsOf(golden.sample)) {
      const paths = pathsOf(cell);
      expect(Math.max(...paths.map((path) => path.length - 1))).toBe(shape(cell).depth);
    }
    expect(pathsOf(judged(rawOf(['011', '001', '000'], [0])))).toEqual([
      [0, 1, 2],
      [0, 2],
    ]);
  });

  it('name ops briefly', () => {
    expect([...SPACE.ops, 'own'].map(shortOp)).toEqual(['3×3', '1×1', 'max 3×3', 'own']);
  });
});

describe('differences', () => {
  it('are as many as nb101 says', () => {
    const cells = cellsOf(golden.sample);
    for (const [row, distances] of Object.entries(golden.sample.aligned)) {
      const found = cells.map((cell) => differences(cell, cells[Number(row)]));
      expect(found.map((each) => each.distance)).toEqual(distances);
      for (const each of found) {
        const { edgesOnlyA, edgesOnlyB, opsChanged } = each;
        expect(edgesOnlyA.length + edgesOnlyB.length + opsChanged.length).toBe(each.distance);
      }
    }
    for (const { aligned, ...facts } of golden.large) {
      const large = cellsOf(facts);
      aligned.forEach((distance, i) => {
        expect(differences(large[i], large[6]).distance).toBe(distance);
      });
    }
  });

  it('are named vertex by vertex', () => {
    const a = judged(rawOf(['0100', '0010', '0001', '0000'], [0, 2]));
    const b = judged(rawOf(['011', '001', '000'], [0]));
    expect(differences(a, b)).toEqual({
      distance: 4,
      matching: [0, 1, -1, 2],
      edgesOnlyA: [
        [1, 2],
        [2, 3],
      ],
      edgesOnlyB: [
        [0, 2],
        [1, 2],
      ],
      opsChanged: [],
      onlyA: [2],
      onlyB: [],
    });
    expect(differences(b, a)).toMatchObject({ distance: 4, matching: [0, 1, 3], onlyB: [2] });
  });
});
