import type { Finder } from './finder';
import type { SpaceShape } from './cell';
import type { Edit } from './edits';
export class EngineWorker {
  constructor(
    readonly finder: Finder,
    readonly space: SpaceShape,
  ) {}
  distances(_row: number, _p: (share: number) => void): Promise<Uint8Array> {
    return Promise.reject(new Error('no'));
  }
  findHash(_h: string, _p: (share: number) => void): Promise<number[]> {
    return Promise.reject(new Error('no'));
  }
  hashes(_r: Uint32Array, _p: (share: number) => void): Promise<string[]> {
    return Promise.reject(new Error('no'));
  }
  editsTo(_cell: unknown, _p: (share: number) => void): Promise<Edit[]> {
    return Promise.reject(new Error('no'));
  }
  destroy(): void {
    return;
  }
}
