import type { FileStat, MachineOs } from '../../../core/domain.ts';
import { recordedFolders, tellingRanges } from '../../../core/projects/recorded-folders.ts';
import { FileSystemError, type OpenFile } from '../../ports/file-system.ts';
import { TEMP_FOLDER } from '../private-folder.ts';
import { allInOrder } from '../refusal.ts';
import type { CreateRequest, Fetched, FetchRequest, Intake, WriteOutcome } from '../replica.ts';
import { fileStat, isAsExpected, lookOf, walk, type FolderLooks } from '../safe-walk.ts';
import { discardTemp } from '../temps.ts';
import { privateName, type TreeContext } from '../tree-context.ts';
import { ByteBudget } from './byte-budget.ts';
import { factsOf } from './content-facts.ts';
import { oneByOne, someAtOnce, withOthers, type ManyFiles } from './many-files.ts';
import { NewFolders } from './new-folders.ts';

/** Files under way at once: enough to hide a round trip of 20 ms. */
const AT_ONCE = 64;
/** Longer files are streamed one by one. */
const LONGEST_BYTES = 4 * 1024 * 1024;
/** Held in memory for all files of a machine that are under way. */
const MOST_BYTES = 16 * 1024 * 1024;
/** More new files than this are not brought to stable storage one by one: that takes milliseconds each. */
const FEW = 100;
/** Of so many files the folders are looked at anew, each once; of fewer, those that were seen a moment ago count. */
const WORTH_SHARING = 16;
/** Read back of a new file; see `TreeContext.readBack`. */
const READ_BACK_END_BYTES = 64;

/**
 * Many files of a tree behind a network. What one file needs is sent in two or three bursts, and many files are under way at once. A file
 * that meets anything out of the ordinary goes the ordinary way afterwards, which finds out what it is.
 */
export function inBursts(context: TreeContext, os: MachineOs): ManyFiles {
  const ordinary = oneByOne(context, os);
  const known = context.knownFolders;
  const memory = new ByteBudget(MOST_BYTES);

  return {
    list: async () => null,
    async look(paths) {
      const shared: FolderLooks | null = paths.length < WORTH_SHARING ? null : new Map();
      const remembered = shared === null ? known : null;
      const looks = await someAtOnce(paths, AT_ONCE, async (path) =>
        lookOf(path, await walk(context.fs, path, remembered, shared)),
      );
      if (shared === null || !looks.some(({ kind }) => kind === 'absent')) return looks;
      // claudeDir was looked at when the first of many was: when it is gone now, nothing in it is absent.
      const { end } = await walk(context.fs, '');
      return end.kind === 'folder' ? looks : looks.map((look) => (look.kind === 'absent' ? end : look));
    },

    async fetch(requests, intake, waiting) {
      const fetched = await someAtOnce(requests, AT_ONCE, (request) => fetchInBursts(context, request, intake, memory));
      return withOthers(requests, fetched, (left) => ordinary.fetch(left, intake, waiting));
    },

    async create(requests, waiting) {
      const folders = new NewFolders(context, os);
      const durable = context.durableCreates && requests.length + waiting <= FEW;
      const created = await someAtOnce(requests, AT_ONCE, async (request) =>
        request.size > LONGEST_BYTES
          ? 'left'
          : memory.holding(request.size, () => createInBursts(context, request, { folders, durable })),
      );
      return withOthers(requests, created, (left) => ordinary.create(left, waiting));
    },
  };
}

/** First burst: look and open. Second: everything there is, and the facts once more. `null`: it changed meanwhile. */
async function fetchInBursts(
  context: TreeContext,
  { path, isTranscript }: FetchRequest,
  intake: Intake,
  memory: ByteBudget,
): Promise<Fetched | null | 'left'> {
  const [walked, opened] = await Promise.allSettled([
    walk(context.fs, path, context.knownFolders),
    context.fs.open(path, 'read'),
  ]);
  const file = opened.status === 'fulfilled' ? opened.value : null;
  try {
    if (walked.status === 'rejected') throw walked.reason;
    const { end } = walked.value;
    if (end.kind !== 'file' || file === null || end.stat.size > LONGEST_BYTES) return 'left';
    return await memory.holding(end.stat.size, () => taken(file, { isTranscript, stat: end.stat }, intake));
  } finally {
    await closed(file);
  }
}

/** Second burst of a fetch. */
async function taken(
  file: OpenFile,
  { isTranscript, stat }: { readonly isTranscript: boolean; readonly stat: FileStat },
  intake: Intake,
): Promise<Fetched | null> {
  const [bytes, after] = await allInOrder([file.read(0, stat.size), file.stat()]);
  if (!isAsExpected(after, stat) || bytes.length !== stat.size) return null;
  const staged = await intake.stage(one(bytes));
  const folders = isTranscript
    ? recordedFolders(tellingRanges(bytes.length).map(([from, to]) => bytes.toString('utf8', from, to)))
    : null;
  return { staged, stat: fileStat(after), facts: factsOf(bytes), folders, hasFolder: false };
}

/** First burst: a temp. Second: its content, and what became of it. Third: its name, and what is there then. */
async function createInBursts(
  context: TreeContext,
  request: CreateRequest,
  { folders, durable }: { readonly folders: NewFolders; readonly durable: boolean },
): Promise<WriteOutcome | 'left'> {
  const { fs } = context;
  if (!(await folders.areThere(request.path))) return 'left';
  const content = await contentOf(request);
  if (content === null) return 'left';
  const temp = `${TEMP_FOLDER}/${privateName(context)}`;
  try {
    const file = await fs.open(temp, 'create');
    const stat = await filled(file, request, content, durable);
    if (stat === null) {
      await discardTemp(context, temp);
      return 'left';
    }
    // Asked in this order in one burst: what is looked at is what the rename left there.
    const [renamed, there] = await Promise.allSettled([fs.rename(temp, request.path), fs.lstat(request.path)]);
    if (renamed.status === 'rejected') throw renamed.reason;
    if (there.status === 'rejected') throw there.reason;
    if (there.value?.type !== 'file' || !isAsExpected(there.value, stat)) return { kind: 'changed' };
    return { kind: 'done', stat: fileStat(there.value) };
  } catch (error) {
    if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
    await discardTemp(context, temp).catch((failure: unknown) => {
      if (FileSystemError.is(failure, 'disconnected')) throw failure;
    });
    return 'left';
  }
}

/** Writes a new file and closes it. `null` when it is not what it should be. */
async function filled(
  file: OpenFile,
  request: CreateRequest,
  content: Buffer,
  durable: boolean,
): Promise<ReturnType<typeof fileStat> | null> {
  const end = content.subarray(Math.max(0, content.length - READ_BACK_END_BYTES));
  try {
    const [, , , , stat, read] = await allInOrder([
      content.length > 0 ? file.write(content) : Promise.resolve(),
      request.executable
        ? file.setExecutable(true).catch((error: unknown) => {
            if (!FileSystemError.is(error, 'denied', 'unsupported')) throw error;
          })
        : Promise.resolve(),
      file.setTimes(request.mtimeMs),
      durable ? file.sync() : Promise.resolve(),
      file.stat(),
      end.length > 0 ? file.read(content.length - end.length, end.length) : Promise.resolve(end),
    ]);
    return stat.size === content.length && read.equals(end) ? fileStat(stat) : null;
  } finally {
    await closed(file);
  }
}

/** The content, `null` when it is not what it should be: the ordinary way says so. */
async function contentOf(request: CreateRequest): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.content()) chunks.push(chunk);
  const content = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  if (content.length !== request.size) return null;
  return request.sha256 === null || factsOf(content).sha256 === request.sha256 ? content : null;
}

/** Nobody waits for a file to be closed over a network; a failure says nothing that was not known. */
async function closed(file: OpenFile | null): Promise<void> {
  file?.close().catch(() => undefined);
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
