import { createHash } from 'node:crypto';
import type { Base, Head, Key } from '../../core/domain.ts';
import { wholeLineBytes } from '../../core/log/lines.ts';
import { collect } from './excerpt.ts';
import type { Store } from '../store/store.ts';
import type { EngineContext } from './context.ts';
import { keepVersion } from './keep-version.ts';

const PIECE = 1024 * 1024;
/** Looks at archive files under way at once. */
const AT_ONCE = 64;

/** Setting that says that the last stop was in order: the archive was synced, and nothing was written after. */
const CLEAN_STOP = 'engine.clean-stop';

/** The engine has stopped in order: the next start need not read contents to know that archive and database agree. */
export function noteCleanStop(store: Store): void {
  store.setSetting(CLEAN_STOP, 'yes');
}

/** What the start found and put right. */
export interface RecoveryReport {
  /** Archive files whose bytes went beyond what the database knew: kept as versions, then cut. */
  readonly cut: number;
  /** Heads of which the archive had lost bytes (power loss): their copies are compared anew. */
  readonly shortened: number;
  /** Files without a head: kept as versions, then removed. */
  readonly strays: number;
}

/**
 * Brings archive and database back together after a crash (docs/sync.md section 2). The database is the truth about what is a
 * head; the archive never loses bytes to it: what it has beyond is kept as a version, and machines that hold it offer it again.
 */
export async function recover(ctx: EngineContext): Promise<RecoveryReport> {
  const report = { cut: 0, shortened: 0, strays: 0 };
  const wasClean = ctx.store.getSetting(CLEAN_STOP) === 'yes';
  if (wasClean) ctx.store.setSetting(CLEAN_STOP, 'no');
  // Before anything is written. Meanwhile it is only looked at what there is.
  const noted = wasClean ? ctx.store.flush({ durable: true }) : Promise.resolve();
  const heads = [...ctx.store.heads.values()];
  const files = heads.filter((head) => head.key !== 'history' && head.kind === 'file');
  const [sizes] = await Promise.all([sizesOf(ctx, files), noted]);
  for (const head of files) {
    const size = sizes.get(head.key) ?? null;
    if (head.hash === null) await recoverLog(ctx, head, size ?? 0, report);
    // However old the head is: a database that went back knows an old head for a file that was put in place a moment ago.
    else if (size !== head.size || !wasClean) await recoverFile(ctx, head, size, report);
  }
  // After a stop in order there is no file that the database does not know.
  for await (const key of wasClean ? [] : ctx.archive.keys()) {
    const head = ctx.store.heads.get(key);
    if (head?.kind === 'file') continue;
    await keepStray(ctx, key);
    report.strays += 1;
  }
  const changed = report.cut + report.shortened + report.strays > 0;
  // What was put right must not be lost again: other bytes will follow where an archive file was cut, and a database that still knew the
  // longer head would take them for it.
  await ctx.store.flush({ durable: changed && ctx.guards.on('durable-before-destructive') });
  return report;
}

async function sizesOf(ctx: EngineContext, heads: readonly Head[]): Promise<Map<Key, number | null>> {
  const sizes = new Map<Key, number | null>();
  for (let at = 0; at < heads.length; at += AT_ONCE) {
    await Promise.all(
      heads.slice(at, at + AT_ONCE).map(async ({ key }) => sizes.set(key, await ctx.archive.size(key))),
    );
  }
  return sizes;
}

async function recoverLog(
  ctx: EngineContext,
  head: Head,
  size: number,
  report: { cut: number; shortened: number },
): Promise<void> {
  if (size > head.size) {
    if (ctx.guards.on('archive-tail')) {
      await keep(ctx, head.key, head.origin, head.size, size);
      await ctx.archive.truncate(head.key, head.size);
    } else {
      ctx.store.heads.put({ ...head, size });
    }
    report.cut += 1;
  } else if (size < head.size) {
    const end = await lastWholeLine(ctx, head.key, size);
    if (end < size) await ctx.archive.truncate(head.key, end);
    // What was known of the bytes that are gone would make those that come next look damaged.
    if ((ctx.store.heads.segments(head.key)?.bytes ?? 0) > end) ctx.store.heads.putSegments(head.key, null);
    if (end === 0) ctx.store.heads.delete(head.key);
    else ctx.store.heads.put({ ...head, size: end, seq: ctx.store.nextSeq() });
    for (const pair of ctx.store.pairs.ofKey(head.key)) ctx.store.pairs.put({ ...pair, base: toBeCompared(pair.base) });
    // Lines of one origin are in everybody's history: all of it is read again, and what is known is recognised line by line.
    if (head.key.startsWith('history/'))
      for (const pair of ctx.store.pairs.ofKey('history')) ctx.store.pairs.put({ ...pair, base: null });
    report.shortened += 1;
  }
}

/** The copy's lines were in the head once, but nothing is known of where any more: it is compared as a whole. */
function toBeCompared(base: Base | null): Base | null {
  if (base?.kind !== 'file' || base.cursor === null) return null;
  const cursor = {
    ...base.cursor,
    lineBytes: 0,
    merged: 0,
    delivered: 0,
    common: 0,
    missing: [],
    cut: false,
    tailHash: 'unknown',
  };
  return { ...base, seq: 0, fileBytes: -1, mtimeMs: -1, cursor };
}

async function recoverFile(
  ctx: EngineContext,
  head: Head,
  size: number | null,
  report: { cut: number; shortened: number },
): Promise<void> {
  if (size !== null && (await hashOf(ctx, head.key, size)) === head.hash) return;
  if (size !== null) {
    // Installed, but the database does not know it: the machine it came from offers it again.
    await keep(ctx, head.key, head.origin, 0, size);
    report.cut += 1;
  }
  if (head.hash !== null && (await ctx.archive.holds(head.hash))) {
    const staged = await ctx.archive.stage(ctx.archive.readVersion(head.hash));
    await ctx.archive.install(head.key, staged, head.executable);
    return;
  }
  ctx.store.heads.delete(head.key);
  if (size !== null) await ctx.archive.remove(head.key);
  for (const pair of ctx.store.pairs.ofKey(head.key)) ctx.store.pairs.put({ ...pair, base: null });
  report.shortened += 1;
}

/** Only read, never staged: every start does this for thousands of files. */
async function hashOf(ctx: EngineContext, key: Key, size: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of ctx.archive.read(key, 0, size)) hash.update(chunk);
  return hash.digest('hex');
}

async function keepStray(ctx: EngineContext, key: Key): Promise<void> {
  const size = (await ctx.archive.size(key)) ?? 0;
  if (size > 0) await keep(ctx, key, ctx.store.heads.get(key)?.origin ?? '', 0, size);
  await ctx.archive.remove(key);
}

async function keep(ctx: EngineContext, key: Key, machine: string, from: number, to: number): Promise<void> {
  await keepVersion(ctx, ctx.archive.read(key, from, to), { key, machine, reason: 'torn', mtimeMs: ctx.clock.now() });
}

async function lastWholeLine(ctx: EngineContext, key: Key, size: number): Promise<number> {
  for (let to = size; to > 0; to -= PIECE) {
    const from = Math.max(0, to - PIECE);
    const whole = wholeLineBytes(await collect(ctx.archive.read(key, from, to)));
    if (whole > 0) return from + whole;
  }
  return 0;
}
