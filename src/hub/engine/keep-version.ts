import type { VersionRow } from '../store/store.ts';
import type { EngineContext } from './context.ts';

/** What is said about a content that is kept. */
export interface Keeping extends Pick<VersionRow, 'key' | 'machine' | 'reason' | 'mtimeMs'> {
  /** Default `false`: nothing that is a log is run. */
  readonly executable?: boolean;
}

/**
 * Keeps a content as a version of a key: the bytes first, then the row that names them.
 * @throws {FileSystemError} when the hub's disk refuses; then there is no row either.
 */
export async function keepVersion(
  ctx: Pick<EngineContext, 'archive' | 'store' | 'clock'>,
  content: AsyncIterable<Uint8Array>,
  { executable = false, ...about }: Keeping,
): Promise<void> {
  const { bytes, sha256 } = await ctx.archive.keep(content);
  ctx.store.versions.add({ ...about, at: ctx.clock.now(), bytes, sha256, executable });
}
