import { ownColumn } from '../../src/data/column';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';

import type { Column, Manifest } from '../../src/contract';
import {
  csvOf,
  fieldsOf,
  fileName,
  hashesOf,
  parquetOf,
  pythonMask,
  pythonOf,
  shortest,
} from '../../src/data/exports';
import type { Extract } from '../../src/data/exports';
import { describe as described } from '../../src/data/values';
import type { Numbers } from '../../src/data/values';

function column(name: string, more: Partial<Column> = {}): Column {
  return ownColumn({
    name,
    title: name,
    short: name,
    metric: name.split('@')[0],
    group: 'shape',
    ...more,
  });
}

const accuracy = (epochs: number) =>
  column(`validation_accuracy@${epochs}`, { group: 'accuracy', epochs, kind: 'predicted' });
const depth = column('depth', { integer: true });
const ops = ['op:a', 'op:b'].map((name) => column(name, { group: 'ops', integer: true }));

const manifest = {
  made: '9.8.7',
  table: { name: 'mine', kind: 'predicted', python: 'nb101.load_table("mine")' },
  space: { max_vertices: 7, max_edges: 9, ops: ['a', 'b'] },
  columns: [accuracy(4), accuracy(108), depth, ...ops],
} as unknown as Manifest;

const values = (of: Column, data: Numbers) => described(of, data);

function extract(more: Partial<Extract> = {}): Extract {
  return {
    manifest,
    layout: 'cells',
    rows: Uint32Array.of(0, 2),
    ids: Float64Array.of(5, 2 ** 20),
    columns: [
      values(accuracy(4), Float32Array.of(0.1, 0.2, NaN)),
      values(accuracy(108), Float32Array.of(0.935, 0.8, 0.9350000023841858)),
      values(depth, Uint8Array.of(1, 2, 3)),
    ],
    hashes: ['aa', 'bb'],
    ...more,
  };
}

const lines = async (blob: Blob) => (await blob.text()).split('\n');

describe('numbers', () => {
  it('are written with the fewest digits that give 32 bits back', () => {
    expect(shortest(Math.fround(0.935))).toBe('0.935');
    expect(shortest(Math.fround(1484.2555))).toBe('1484.2555');
    expect(shortest(Math.fround(1e-7))).toBe('1e-7');
    let state = 1;
    for (let at = 0; at < 5000; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const value = new Float32Array(Uint32Array.of(state).buffer)[0];
      if (Number.isFinite(value)) expect(Math.fround(Number(shortest(value)))).toBe(value);
    }
  });
});

describe('CSV', () => {
  it('has a row a cell, exact numbers, nothing where there is none, and the kind', async () => {
    expect(await lines(await csvOf(extract()))).toEqual([
      'hash,cell_id,validation_accuracy@4,validation_accuracy@108,depth,kind',
      'aa,5,0.1,0.935,1,predicted',
      'bb,1048576,,0.935,3,predicted',
      '',
    ]);
  });

  it('has a row a cell and budget under the names of tables', async () => {
    expect(await lines(await csvOf(extract({ layout: 'runs' })))).toEqual([
      'hash,cell_id,epochs,final_validation_accuracy,depth,kind',
      'aa,5,4,0.1,1,predicted',
      'bb,1048576,4,,3,predicted',
      'aa,5,108,0.935,1,predicted',
      'bb,1048576,108,0.935,3,predicted',
      '',
    ]);
  });

  it('quotes what would be taken apart', async () => {
    const own = column('own:a,"b"', { group: 'own' });
    const columns = [values(own, Float64Array.of(1, 2, 3))];
    expect((await lines(await csvOf(extract({ columns, hashes: null }))))[0]).toBe(
      'cell_id,"own:a,""b""",kind',
    );
  });

  it('tells how far it is', async () => {
    const shares: number[] = [];
    await csvOf(extract(), (share) => shares.push(share));
    expect(shares).toEqual([1]);
  });

  it('leaves numbers out where a budget has none', () => {
    const columns = [
      values(accuracy(4), Float32Array.of(0.1, 0.2, 0.3)),
      values(
        column('test_accuracy@108', { group: 'accuracy', epochs: 108 }),
        Float32Array.of(1, 1, 1),
      ),
    ];
    const { fields } = fieldsOf(extract({ layout: 'runs', columns }));
    const test = fields.find(({ name }) => name === 'final_test_accuracy')!;
    expect('data' in test && [...test.data]).toEqual([NaN, NaN, 1, 1]);
  });
});

describe('Parquet', () => {
  it('has types, and says what it is', async () => {
    const file = await (await parquetOf(extract({ layout: 'runs', hashes: null }))).arrayBuffer();
    const about = parquetMetadata(file);
    const types = about.schema.slice(1).map(({ name, type }) => [name, type]);
    expect(types).toEqual([
      ['cell_id', 'INT32'],
      ['epochs', 'INT32'],
      ['final_validation_accuracy', 'FLOAT'],
      ['depth', 'INT32'],
      ['kind', 'BYTE_ARRAY'],
    ]);
    const entries = new Map(about.key_value_metadata?.map(({ key, value }) => [key, value]));
    expect(entries.get('kind')).toBe('predicted');
    const own = JSON.parse(entries.get('nb101')!) as {
      format: number;
      provenance: { kind: string };
    };
    expect(own.format).toBe(2);
    expect(own.provenance.kind).toBe('predicted');
    const rows = await parquetReadObjects({ file });
    expect(rows[3]).toEqual({
      cell_id: 2 ** 20,
      epochs: 108,
      final_validation_accuracy: Math.fround(0.935),
      depth: 3,
      kind: 'predicted',
    });
  });

  it('keeps ids beyond 31 bits', async () => {
    const ids = Float64Array.of(1, 2 ** 33);
    const file = await (await parquetOf(extract({ ids, columns: [] }))).arrayBuffer();
    const rows = await parquetReadObjects({ file });
    expect(rows[1]).toEqual({ hash: 'bb', cell_id: 2n ** 33n, kind: 'predicted' });
  });
});

describe('Python', () => {
  const kept = (of: Column, low: number, high: number) => ({
    column: of,
    range: [low, high] as const,
    low: 0,
    high: 1,
  });

  it('says filters as they are', () => {
    expect(pythonMask(manifest, [kept(accuracy(108), 0.25, 1), kept(ops[1], 0, 0.5)])).toBe(
      '(table.mean("validation_accuracy", 108) >= 0.25) & ' +
        '((table.cells.operations() == 1).sum(axis=1) <= 0.5)',
    );
    const code = pythonOf(manifest, [kept(depth, 0.5, 0.5)], () => []);
    expect(code).toContain('table = nb101.load_table("mine")\n');
    expect(code).toContain('(table.cells.depth() >= 0.5) & (table.cells.depth() <= 0.5)');
  });

  it('asks for a number where all ends are open', () => {
    expect(pythonMask(manifest, [kept(accuracy(4), -1, 2)])).toBe(
      '(table.mean("validation_accuracy", 4) >= 0)',
    );
  });

  it('says ids where filters do not tell all', () => {
    const ids = () => [3, 5];
    const listed = 'import nb101\ntable = nb101.load_table("mine").select([3, 5])\n';
    expect(pythonOf(manifest, null, ids)).toBe(listed);
    expect(pythonOf(manifest, [kept(column('own:x', { group: 'own' }), 0.1, 0.2)], ids)).toBe(
      listed,
    );
    expect(pythonOf(manifest, [], ids)).toBe('import nb101\ntable = nb101.load_table("mine")\n');
  });
});

it('has hashes one a line', async () => {
  expect(await hashesOf(['a', 'b']).text()).toBe('a\nb\n');
});

it('names files by table and kind', () => {
  expect(fileName({ name: 'surrogate-v1', kind: 'predicted' }, '3-cells', 'csv')).toBe(
    'surrogate-v1-predicted-3-cells.csv',
  );
  expect(fileName({ name: '/data/my <table>.arrow', kind: 'measured' }, 'map', 'svg')).toBe(
    'my-table-map.svg',
  );
  expect(fileName({ name: '../..', kind: 'unknown' }, 'map', 'png')).toBe('table-map.png');
});
