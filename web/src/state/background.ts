/** What takes long, in a worker that starts when it is first needed. */
import { hashTexts } from '../engine';
import type { Cell, CellColumns, Edit, EngineWorker, SpaceShape } from '../engine';
import { startEngine } from '../engine/start';

type Progress = (share: number) => void;

export class Background {
  private started: Promise<EngineWorker> | null = null;
  private all: Promise<Uint8Array> | null = null;

  constructor(
    private readonly columns: CellColumns,
    private readonly space: SpaceShape,
  ) {}

  private engine(): Promise<EngineWorker> {
    this.started ??= this.start();
    return this.started;
  }

  private async start(): Promise<EngineWorker> {
    const engine = startEngine();
    await engine.init(this.columns, this.space);
    return engine;
  }

  /** Larger cells of which one edit, with pruning, leads to a cell. */
  async editsTo(cell: Cell, progress: Progress, signal: AbortSignal): Promise<Edit[]> {
    return (await this.engine()).editsTo(cell, { progress, signal });
  }

  /** Edits from a cell to each, 255 where none lead there. */
  async distances(row: number, progress: Progress): Promise<Uint8Array> {
    return (await this.engine()).distances(row, { progress });
  }

  /** Hashes of rows, 32 digits each. */
  async hashes(rows: Uint32Array, progress: Progress): Promise<string[]> {
    return hashTexts(await (await this.engine()).hashes(rows, { progress }));
  }

  /** Rows whose hash begins so; all cells are hashed the first time. */
  async findHash(beginning: string, progress: Progress): Promise<number[]> {
    this.all ??= this.engine().then((engine) => engine.hashes(null, { progress }));
    const bytes = await this.all;
    const wanted = Array.from(beginning, (digit) => Number.parseInt(digit, 16));
    const rows: number[] = [];
    for (let at = 0, row = 0; at < bytes.length; at += 16, row++) {
      const differs = wanted.some((digit, place) => {
        const byte = bytes[at + (place >> 1)];
        return (place % 2 === 0 ? byte >> 4 : byte & 15) !== digit;
      });
      if (!differs) rows.push(row);
    }
    return rows;
  }

  end(): void {
    void this.started?.then((engine) => engine.end());
  }
}
