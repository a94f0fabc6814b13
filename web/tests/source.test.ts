/** Files that are asked for before they are needed. */
import { describe, expect, it } from 'vitest';
import { Ahead, SourceError } from '../src/source';

function counted(answer: (path: string) => Promise<ArrayBuffer>) {
  const asked: string[] = [];
  const bytes = (path: string) => {
    asked.push(path);
    return answer(path);
  };
  return { source: new Ahead({ bytes }), asked };
}

describe('what is asked for ahead', () => {
  it('is read once, and again when it is wanted again', async () => {
    const { source, asked } = counted(() => Promise.resolve(new ArrayBuffer(8)));
    source.begin('a.bin');
    expect(asked).toEqual(['a.bin']);
    expect((await source.bytes('a.bin')).byteLength).toBe(8);
    expect(asked).toEqual(['a.bin']);
    await source.bytes('a.bin');
    await source.bytes('b.bin');
    expect(asked).toEqual(['a.bin', 'a.bin', 'b.bin']);
  });

  it('fails where it is needed', async () => {
    const { source } = counted((path) => Promise.reject(new SourceError(path)));
    source.begin('a.bin');
    await new Promise((resolve) => setTimeout(resolve));
    await expect(source.bytes('a.bin')).rejects.toThrow('a.bin');
  });
});
