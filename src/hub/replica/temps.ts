import { createHash } from 'node:crypto';
import type { FileStat, RelativePath } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { OpenFile } from '../ports/file-system.ts';
import { TEMP_FOLDER } from './private-folder.ts';
import { allInOrder } from './refusal.ts';
import type { PutRequest } from './replica.ts';
import { fileStat } from './safe-walk.ts';
import { privateName } from './tree-context.ts';
import type { TreeContext } from './tree-context.ts';

/** How many writes or reads of a long file are under way at once. */
const CHUNKS_AHEAD = 4;

/** What was read back from a temp is not what was written, twice. Nothing but the temp was touched. */
export class TempDamaged extends Error {
  constructor(detail: string) {
    super(`the copy that was being written ${detail}; nothing was replaced, it is tried again later`);
    this.name = 'TempDamaged';
  }
}

/** A complete, verified file that only lacks its name. */
export interface Temp {
  readonly path: string;
  readonly stat: FileStat;
}

/**
 * Writes the content beside its destination's volume, with times and executable bit, and reads it back. One bad copy is
 * written a second time.
 * @param durable whether it is on stable storage before the promise resolves.
 * @param like what is replaced: where only a part of a large file differs, not all of it may have to be written.
 * @throws {TempDamaged} @throws {FileSystemError}
 */
export async function writeTemp(
  context: TreeContext,
  request: PutRequest,
  durable: boolean,
  like: RelativePath | null = null,
): Promise<Temp> {
  const patched = like === null ? null : await patchedTemp(context, request, like);
  if (patched !== null) return patched;
  try {
    return await writeTempOnce(context, request, durable);
  } catch (error) {
    if (!(error instanceof TempDamaged)) throw error;
    return await writeTempOnce(context, request, durable);
  }
}

/** Removes a temp that is not needed any more; one that is gone already is fine. */
export async function discardTemp(context: TreeContext, path: string): Promise<void> {
  try {
    await context.fs.unlink(path);
  } catch (error) {
    if (!FileSystemError.is(error, 'missing')) throw error;
  }
}

/**
 * Puts a temp in the place of a file that only the hub writes. Where a server cannot replace in one step the old one goes first: nobody
 * else looks for it. @throws {FileSystemError}
 */
export async function replaceOwn(context: TreeContext, temp: string, path: string): Promise<void> {
  try {
    await context.fs.renameOver(temp, path);
  } catch (error) {
    if (!FileSystemError.is(error, 'unsupported')) throw error;
    await discardTemp(context, path);
    await context.fs.rename(temp, path);
  }
}

/**
 * Removes the temps of other connections. A rename that an interrupted connection left in a queue on the other side then
 * finds nothing to put into place (docs/sync.md section 6).
 */
export async function removeOldTemps(context: TreeContext): Promise<void> {
  if (!context.guards.on('epoch-temps')) return;
  const own = `${context.epoch()}-`;
  for (const { name, type } of await context.fs.list(TEMP_FOLDER)) {
    if (!/^\d+-[0-9a-f]+$/.test(name) || name.startsWith(own)) continue;
    if (type === 'file') await discardTemp(context, `${TEMP_FOLDER}/${name}`);
    else if (type === 'folder') await discardTempFolder(context, `${TEMP_FOLDER}/${name}`);
  }
}

/** Removes a folder of temps with all that is in it, links themselves and not what they lead to. @throws {FileSystemError} */
export async function discardTempFolder(context: TreeContext, path: string): Promise<void> {
  for (const { name, type } of await context.fs.list(path))
    await (type === 'folder' ? discardTempFolder : discardTemp)(context, `${path}/${name}`);
  await context.fs.removeFolder(path);
}

async function writeTempOnce(context: TreeContext, request: PutRequest, durable: boolean): Promise<Temp> {
  const path = `${TEMP_FOLDER}/${privateName(context)}`;
  const file = await context.fs.open(path, 'create');
  try {
    let written: Written;
    try {
      written = await fill(file, request, durable);
    } finally {
      await file.close();
    }
    // Over a network a new file is measured; what takes the place of another one is read back all the same.
    if (context.guards.on('read-back') && (context.readBack || request.expect.kind === 'file')) {
      const isSame =
        written.bytes === null
          ? (await context.hashOf(path, request.size)) === written.hash
          : await holds(context, path, written.bytes);
      if (!isSame) throw new TempDamaged('does not read back as it was written');
    }
    return { path, stat: written.stat };
  } catch (error) {
    // Where the connection is gone the temp goes with the next one.
    if (!FileSystemError.is(error, 'disconnected')) await discardTemp(context, path);
    throw error;
  }
}

/** A temp made from an earlier state of the file; `null` where there is no such way, or it did not come out right. */
async function patchedTemp(context: TreeContext, request: PutRequest, like: RelativePath): Promise<Temp | null> {
  const { source = null, size, mtimeMs } = request;
  if (context.patchTemp === null || source === null || request.executable) return null;
  const path = `${TEMP_FOLDER}/${privateName(context)}`;
  try {
    if (await context.patchTemp(path, like, source, size)) {
      await context.fs.setTimes(path, mtimeMs);
      const stat = await context.fs.lstat(path);
      if (stat?.type === 'file' && stat.size === size && (await isContent(context, path, request)))
        return { path, stat: fileStat(stat) };
    }
  } catch (error) {
    if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
  }
  await discardTemp(context, path);
  return null;
}

/** Compared by hashes: the one of the content may have to be made, the other one is made where the file is, if that can be. */
async function isContent(context: TreeContext, path: string, request: PutRequest): Promise<boolean> {
  const there = await context.hashOf(path, request.size);
  if (request.sha256 !== undefined && request.sha256 !== null) return there === request.sha256;
  const hash = createHash('sha256');
  for await (const chunk of request.content()) hash.update(chunk);
  return there === hash.digest('hex');
}

/** What was written: content of one chunk itself, longer content by its hash. */
type Written = { readonly stat: FileStat } & (
  { readonly bytes: Buffer; readonly hash: null } | { readonly bytes: null; readonly hash: string }
);

async function fill(file: OpenFile, request: PutRequest, durable: boolean): Promise<Written> {
  const hash = createHash('sha256');
  let only: Buffer | null = null;
  let chunks = 0;
  const running: Promise<void>[] = [];
  let size = 0;
  try {
    for await (const chunk of request.content()) {
      chunks += 1;
      if (chunks === 1) only = chunk;
      else if (only !== null) {
        hash.update(only);
        only = null;
      }
      if (chunks > 1) hash.update(chunk);
      size += chunk.length;
      if (size > request.size) break;
      running.push(noted(file.write(chunk)));
      if (running.length >= CHUNKS_AHEAD) await running.shift();
    }
  } finally {
    await Promise.allSettled(running);
  }
  await Promise.all(running);
  if (size !== request.size) throw new TempDamaged(`has another length than the ${request.size} bytes it should have`);

  const [, , , stat] = await allInOrder([
    request.executable ? file.setExecutable(true).catch(tolerateNoSuchBit) : Promise.resolve(),
    file.setTimes(request.mtimeMs),
    durable ? file.sync() : Promise.resolve(),
    file.stat(),
  ]);
  if (stat.size !== request.size) throw new TempDamaged(`is ${stat.size} bytes long instead of ${request.size}`);
  return only === null
    ? { bytes: null, hash: hash.digest('hex'), stat: fileStat(stat) }
    : { bytes: only, hash: null, stat: fileStat(stat) };
}

/** Whether the file holds exactly these bytes, as far as they reach; its length was looked at before. */
async function holds(context: TreeContext, path: string, bytes: Buffer): Promise<boolean> {
  const file = await context.fs.open(path, 'read');
  try {
    return (await file.read(0, bytes.length)).equals(bytes);
  } finally {
    await file.close();
  }
}

/** Marks a promise as looked after, for it may fail before its turn to be awaited comes. */
function noted<T>(running: Promise<T>): Promise<T> {
  running.catch(() => undefined);
  return running;
}

/** Volumes without permissions have no executable bit; the content is what counts there. */
function tolerateNoSuchBit(error: unknown): void {
  if (!FileSystemError.is(error, 'denied', 'unsupported')) throw error;
}
