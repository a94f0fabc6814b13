/** Where bytes come from: files below `data/`, of a server or a folder; or a notebook's kernel. */

export interface Source {
  /** Bytes of a file that the manifest names, or of the manifest, gzip undone. */
  bytes(path: string): Promise<ArrayBuffer>;
}

export class SourceError extends Error {}

/** Undo gzip where bytes begin with its mark. */
export async function plain(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  const head = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  if (head[0] !== 0x1f || head[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

/** A source whose files can be asked for before they are needed, each kept until it is. */
export class Ahead implements Source {
  private readonly begun = new Map<string, Promise<ArrayBuffer>>();

  constructor(private readonly source: Source) {}

  begin(path: string): void {
    const reading = this.source.bytes(path);
    // Told where it is needed.
    reading.catch(() => undefined);
    this.begun.set(path, reading);
  }

  bytes(path: string): Promise<ArrayBuffer> {
    const reading = this.begun.get(path);
    this.begun.delete(path);
    return reading ?? this.source.bytes(path);
  }
}

/** Files below a folder of the page's own origin. */
export class Files implements Source {
  constructor(private readonly base: string = 'data/') {}

  async bytes(path: string): Promise<ArrayBuffer> {
    let answer: Response;
    try {
      answer = await fetch(this.base + path);
    } catch {
      throw new SourceError('Nobody answers: was the server (nb101 explore) ended?');
    }
    if (!answer.ok) {
      // The server of nb101 says why in a line; another one may send a page.
      const said = /^text\/plain/.test(answer.headers.get('Content-Type') ?? '')
        ? (await answer.text()).trim()
        : '';
      throw new SourceError(said || `${path}: the server answers ${answer.status}`);
    }
    return plain(await answer.arrayBuffer());
  }
}
