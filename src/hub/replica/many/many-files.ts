import { createHash } from 'node:crypto';
import type { Look, MachineOs, RelativePath } from '../../../core/domain.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import { guardedPut } from '../put.ts';
import { readTreeFile } from '../read-bytes.ts';
import { allInOrder } from '../refusal.ts';
import {
  FETCH_LIMIT_BYTES,
  type CreateRequest,
  type Fetched,
  type FetchRequest,
  type Intake,
  type WriteOutcome,
} from '../replica.ts';
import type { FolderListing } from '../scan.ts';
import { isAsExpected, lookOf, walk } from '../safe-walk.ts';
import { TempDamaged } from '../temps.ts';
import type { TreeContext } from '../tree-context.ts';
import { FactsMeter } from './content-facts.ts';
import type { CopyThreads } from './copy-threads.ts';

/** Files that are worked on at a time where they go one by one. */
const AT_ONCE = 12;
/** Handing files over costs more than a few files do. */
const WORTH_A_THREAD = 16;
/** A thread is started for this many files: it takes 10 MB, which some hundred are not worth. */
const WORTH_STARTING = 700;

/** Fewer folders are listed where the answer is wanted. */
const FOLDERS_WORTH_A_THREAD = 64;
/** A thread is started for this many folders. */
const FOLDERS_WORTH_STARTING = 1_000;
/** Folders that are listed in one job: two threads share what a large tree has. */
const FOLDERS_PER_JOB = 128;

/** How `createMany`, `fetchMany` and the like work for one tree. */
export interface ManyFiles {
  /** What lies in each folder; `null` when that is better done one by one. */
  list(folders: readonly RelativePath[]): Promise<readonly FolderListing[] | null>;
  /** As `list`, for the levels of one scan of `start` ('': everything), in their order; left out where each is listed by itself. */
  lister?(start: RelativePath): (folders: readonly RelativePath[]) => Promise<readonly FolderListing[] | null>;
  create(requests: readonly CreateRequest[], waiting: number): Promise<readonly WriteOutcome[]>;
  look(paths: readonly RelativePath[]): Promise<readonly Look[]>;
  fetch(requests: readonly FetchRequest[], intake: Intake, waiting: number): Promise<readonly (Fetched | null)[]>;
}

/** One file after the other (some at a time), through the same calls as a single file. */
export function oneByOne(context: TreeContext, os: MachineOs): ManyFiles {
  return {
    create: (requests) =>
      someAtOnce(requests, AT_ONCE, (request) =>
        guardedPut(context, os, request.path, {
          expect: { kind: 'absent' },
          content: () => checked(request),
          size: request.size,
          mtimeMs: request.mtimeMs,
          executable: request.executable,
          how: 'exchange',
        }),
      ),
    list: async () => null,
    look: (paths) => someAtOnce(paths, AT_ONCE, async (path) => lookOf(path, await walk(context.fs, path))),
    fetch: (requests, intake) => someAtOnce(requests, AT_ONCE, ({ path }) => fetchOne(context, path, intake)),
  };
}

/**
 * Through threads with synchronous calls, for a tree on this computer whose volume tells all names apart. What they leave goes the
 * ordinary way.
 *
 * @param root absolute claudeDir, symlinks resolved.
 */
export function throughThreads(context: TreeContext, os: MachineOs, root: string, threads: CopyThreads): ManyFiles {
  const ordinary = oneByOne(context, os);
  const pays = (files: number, waiting: number): boolean =>
    files >= WORTH_A_THREAD && (threads.isRunning || files + waiting >= WORTH_STARTING);
  return {
    async create(requests, waiting) {
      const files = requests.flatMap(({ path, source, size, sha256, mtimeMs, executable }) =>
        source === null ? [] : [{ path, source, size, sha256, mtimeMs, executable }],
      );
      if (files.length < requests.length || !pays(files.length, waiting) || context.foldsNames())
        return ordinary.create(requests, waiting);
      const created = await threads.create({ kind: 'create', root, os, epoch: context.epoch(), files });
      const left = requests.filter((_, index) => created[index]?.kind === 'left');
      const outcomes = (await ordinary.create(left, 0))[Symbol.iterator]();
      return created.map((one): WriteOutcome => (one.kind === 'left' ? (outcomes.next().value as WriteOutcome) : one));
    },
    async list(folders) {
      if (folders.length < (threads.isRunning ? FOLDERS_WORTH_A_THREAD : FOLDERS_WORTH_STARTING)) return null;
      const jobs: RelativePath[][] = [];
      for (let at = 0; at < folders.length; at += FOLDERS_PER_JOB) jobs.push(folders.slice(at, at + FOLDERS_PER_JOB));
      const listed = await Promise.all(jobs.map((job) => threads.list({ kind: 'list', root, folders: job })));
      return listed.includes(null) ? null : listed.flatMap((listings) => listings ?? []);
    },
    look: (files) => (!pays(files.length, 0) ? ordinary.look(files) : threads.look({ kind: 'look', root, files })),
    async fetch(requests, intake, waiting) {
      const { place } = intake;
      if (place === null || !pays(requests.length, waiting)) return ordinary.fetch(requests, intake, waiting);
      const names = requests.map(() => intake.newName());
      const files = requests.map((request, index) => ({ ...request, target: place(names[index] ?? '') }));
      const copied = await threads.fetch({ kind: 'fetch', root, files, longest: FETCH_LIMIT_BYTES });
      return copied.map((one, index): Fetched | null => {
        if (one.kind === 'left') return null;
        const { facts, stat, folders, hasFolder } = one;
        const staged = { name: names[index] ?? '', sha256: facts.sha256, bytes: facts.bytes };
        return { staged, stat, facts, folders, hasFolder };
      });
    },
  };
}

/** The content, which fails at its end when it is not what it should be. */
async function* checked({ content, sha256 }: CreateRequest): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of content()) {
    if (sha256 !== null) hash.update(chunk);
    yield chunk;
  }
  if (sha256 !== null && hash.digest('hex') !== sha256) throw new TempDamaged('has other content than it should have');
}

async function fetchOne(context: TreeContext, path: RelativePath, intake: Intake): Promise<Fetched | null> {
  const before = lookOf(path, await walk(context.fs, path));
  if (before.kind !== 'file' || before.stat.size > FETCH_LIMIT_BYTES) return null;
  const { stat } = before;
  const meter = new FactsMeter();
  const staged = await intake.stage(metered(readTreeFile(context.fs, path, 0, stat.size), meter)).catch(vanished);
  if (staged === null) return null;
  const after = lookOf(path, await walk(context.fs, path));
  if (after.kind === 'file' && isAsExpected(after.stat, stat) && staged.bytes === stat.size) {
    return { staged, stat: after.stat, facts: meter.facts(), folders: null, hasFolder: false };
  }
  await intake.discard(staged);
  return null;
}

async function* metered(bytes: AsyncIterable<Buffer>, meter: FactsMeter): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    meter.add(chunk);
    yield chunk;
  }
}

/** The file was taken away, or is none: then there is nothing to be had of it here. */
function vanished(error: unknown): null {
  if (FileSystemError.is(error, 'missing', 'not-a-file', 'denied')) return null;
  throw error;
}

/** Results in the order of the requests; those that the first way left are made in another one. */
export async function withOthers<Q, R>(
  requests: readonly Q[],
  first: readonly (R | 'left')[],
  other: (left: readonly Q[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const others = (await other(requests.filter((_, index) => first[index] === 'left')))[Symbol.iterator]();
  return first.map((one) => (one === 'left' ? (others.next().value as R) : one));
}

/** Results in order, `atOnce` tasks at a time. After a failure nothing is begun any more, and it is told when nothing is left running. */
export async function someAtOnce<T, R>(
  items: readonly T[],
  atOnce: number,
  task: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    try {
      for (const [index, item] of left) {
        if (hasFailed) return;
        results[index] = await task(item);
      }
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  };
  await allInOrder(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
