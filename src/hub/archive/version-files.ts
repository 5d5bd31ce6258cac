import { createHash } from 'node:crypto';
import { Readable, pipeline } from 'node:stream';
import { createZstdCompress, createZstdDecompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Sha256 } from '../../core/domain.ts';
import type { FileSystem, OpenFile } from '../ports/file-system.ts';
import { ArchiveDamaged } from './archive.ts';
import type { ContentDropper } from './archive.ts';
import { CHUNK_BYTES, concat, readBytes, unlinkIfThere } from './file-bytes.ts';
import type { FolderCache } from './folder-cache.ts';
import type { Staging } from './staging.ts';

const FOLDER = 'versions';

/** Content up to this size is compressed in one call on this thread, which is quicker, and the same in every run. */
const AT_ONCE_BYTES = 1024 * 1024;

/** What compressing content of `AT_ONCE_BYTES` can at most make of it. */
const AT_ONCE_COMPRESSED_BYTES = AT_ONCE_BYTES + 64 * 1024;

/** `versions/<first 2 hex>/<sha256>.zst`: every content once, however many versions name it. */
export class VersionFiles {
  readonly #fs: FileSystem;
  readonly #folders: FolderCache;
  readonly #staging: Staging;
  /** What was kept since each dropper began. */
  readonly #keptSince = new Set<Set<Sha256>>();
  /** Removals under way: what is kept meanwhile waits for them, for it has to be written again. */
  readonly #dropping = new Map<Sha256, Promise<unknown>>();

  constructor(fs: FileSystem, folders: FolderCache, staging: Staging) {
    this.#fs = fs;
    this.#folders = folders;
    this.#staging = staging;
  }

  async open(): Promise<void> {
    await this.#folders.make(FOLDER);
  }

  /** See `Archive.keep`. */
  async keep(content: AsyncIterable<Uint8Array>): Promise<{ readonly sha256: Sha256; readonly bytes: number }> {
    const iterator = content[Symbol.asyncIterator]();
    const start: Uint8Array[] = [];
    let bytes = 0;
    try {
      while (bytes <= AT_ONCE_BYTES) {
        const next = await iterator.next();
        if (next.done === true) return await this.#keepAtOnce(Buffer.concat(start));
        start.push(next.value);
        bytes += next.value.byteLength;
      }
      return await this.#keepStreaming(start, iterator);
    } finally {
      await iterator.return?.();
    }
  }

  async holds(sha256: Sha256): Promise<boolean> {
    return (await this.#fs.lstat(pathOf(sha256)))?.type === 'file';
  }

  /** See `Archive.readVersion`. */
  async *read(sha256: Sha256): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of this.#decompressed(sha256)) {
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      if (!saysUnreadable(error)) throw error;
      throw new ArchiveDamaged(
        nameOf(sha256),
        `compressed data that ends or breaks (${error.message})`,
        'the content kept',
      );
    }
    const found = hash.digest('hex');
    if (found !== sha256) throw new ArchiveDamaged(nameOf(sha256), `content with hash ${found}`, sha256);
  }

  async drop(sha256: Sha256): Promise<void> {
    const dropping = unlinkIfThere(this.#fs, pathOf(sha256)).finally(() => this.#dropping.delete(sha256));
    this.#dropping.set(sha256, dropping);
    await dropping;
  }

  /** See `Archive.contents`. A folder is listed as a whole, 1/256 of all. */
  async *contents(): AsyncGenerator<Sha256> {
    for (const folder of (await this.#fs.list(FOLDER)).map(({ name }) => name).sort()) {
      const entries = /^[0-9a-f]{2}$/.test(folder) ? await this.#fs.list(`${FOLDER}/${folder}`) : [];
      for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (/^[0-9a-f]{64}\.zst$/.test(name)) yield name.slice(0, 64);
      }
    }
  }

  /** See `ContentDropper`. */
  dropContents(): ContentDropper {
    const kept = new Set<Sha256>();
    this.#keptSince.add(kept);
    return {
      drop: async (sha256) => {
        if (kept.has(sha256)) return false;
        await this.drop(sha256);
        return true;
      },
      close: () => void this.#keptSince.delete(kept),
    };
  }

  /** Whether content that is being kept has a file, which from here on no dropper takes away. */
  async #isThere(sha256: Sha256): Promise<boolean> {
    for (const kept of this.#keptSince) kept.add(sha256);
    // Why it could not be removed is told to who wanted it removed.
    await this.#dropping.get(sha256)?.catch(() => undefined);
    return this.holds(sha256);
  }

  async #keepAtOnce(content: Buffer): Promise<{ sha256: Sha256; bytes: number }> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (!(await this.#isThere(sha256))) {
      const compressed = zstdCompressSync(content);
      const name = await this.#staging.create(async (file) => {
        await file.write(compressed);
        await file.sync();
      });
      await this.#complete(name, sha256);
    }
    return { sha256, bytes: content.length };
  }

  async #keepStreaming(
    start: Uint8Array[],
    rest: AsyncIterator<Uint8Array>,
  ): Promise<{ sha256: Sha256; bytes: number }> {
    const hash = createHash('sha256');
    let bytes = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      const count = (chunk: Uint8Array): Uint8Array => {
        hash.update(chunk);
        bytes += chunk.byteLength;
        return chunk;
      };
      for (const chunk of start.splice(0)) yield count(chunk);
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield count(next.value);
    }
    const name = await this.#staging.create(async (file) => {
      await writeAll(file, through(counted(), createZstdCompress()));
      await file.sync();
    });
    const sha256 = hash.digest('hex');
    if (await this.#isThere(sha256)) await this.#staging.discard(name);
    else await this.#complete(name, sha256);
    return { sha256, bytes };
  }

  async #complete(name: string, sha256: Sha256): Promise<void> {
    const path = pathOf(sha256);
    await this.#folders.inParentOf(path, () => this.#fs.renameOver(this.#staging.path(name), path));
    await this.#folders.sync();
  }

  async *#decompressed(sha256: Sha256): AsyncGenerator<Buffer> {
    const stat = await this.#fs.lstat(pathOf(sha256));
    if (stat?.type !== 'file') throw new ArchiveDamaged(nameOf(sha256), 'no file', 'a file');
    const compressed = (): AsyncGenerator<Buffer> => readBytes(this.#fs, pathOf(sha256), nameOf(sha256), 0, stat.size);
    if (stat.size <= AT_ONCE_COMPRESSED_BYTES) {
      const content = decompressAtOnce(await concat(compressed()));
      if (content !== null) {
        if (content.length > 0) yield content;
        return;
      }
    }
    yield* through(compressed(), createZstdDecompress());
  }
}

function pathOf(sha256: Sha256): string {
  return `${FOLDER}/${sha256.slice(0, 2)}/${sha256}.zst`;
}

function nameOf(sha256: Sha256): string {
  return `version ${sha256}`;
}

/** `null` when the content is too long for that. */
function decompressAtOnce(compressed: Buffer): Buffer | null {
  try {
    return zstdDecompressSync(compressed, { maxOutputLength: AT_ONCE_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw error;
  }
}

/** What `transform` makes of `source`. Stopping early closes both. */
async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: ReturnType<typeof createZstdCompress> | ReturnType<typeof createZstdDecompress>,
): AsyncGenerator<Buffer> {
  // Errors of either come out of the loop below; the callback is only how `pipeline` is told not to throw them.
  pipeline(Readable.from(source, { objectMode: false, highWaterMark: CHUNK_BYTES }), transform, () => undefined);
  for await (const chunk of transform) yield chunk as Buffer;
}

async function writeAll(file: OpenFile, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) await file.write(chunk);
}

/** Whether decompression stopped because of the data, and not because the disk could not be read. */
function saysUnreadable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return code.startsWith('ZSTD_') || code.startsWith('Z_') || code === 'ERR_ZSTD_INVALID_PARAM';
}
