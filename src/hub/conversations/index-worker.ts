/**
 * Entry of the workers of the index: one fills it, another one answers questions meanwhile. Neither ever holds up the hub's event loop.
 * Runs from source and as a bundle of its own: `index-worker.js write|read FILE`, with an IPC channel.
 */
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { titleInFile } from '../../core/conversation/title.ts';
import { LogIndexer } from './log-indexer.ts';
import { LineReader } from './line-reader.ts';
import { openIndexForReading, openIndexForWriting } from './open-index.ts';
import { search } from './search.ts';
import { hasLooked, listSecrets, SecretRadar } from './secret-radar.ts';
import { findSession, listAgents, listProjects, listSessions, sessionsWithPrefix } from './session-list.ts';
import type { FromWorker, ReadTasks, ToWorker, WriteTasks } from './worker-messages.ts';
import { TranscriptPages } from './transcript-pages.ts';

type Tasks<T extends { [Name in keyof T]: { readonly takes: unknown; readonly gives: unknown } }> = {
  readonly [Name in keyof T]: (takes: T[Name]['takes']) => T[Name]['gives'] | Promise<T[Name]['gives']>;
};

const [, , role, path = ''] = process.argv;
if (process.send === undefined || (role !== 'write' && role !== 'read'))
  throw new Error('index-worker has to be started by a hub');
const send = (message: FromWorker): void => void process.send?.(message);
// A stop of the whole group ends the hub, which ends this; without a hub there is nobody to work for.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
// What is asked is waited for, what is filled is not: the sync goes first.
if (role === 'write') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
/** The hub stops: what is under way ends at the next piece. */
let ending = false;
let close: () => void = () => undefined;

const tasks = (role === 'write' ? writing() : reading()) as Tasks<Record<string, { takes: unknown; gives: unknown }>>;
let last: Promise<unknown> = Promise.resolve();

process.on('message', ({ id, task, takes }: ToWorker) => {
  if (task === 'end') {
    ending = true;
    last = last.then(() => {
      close();
      process.disconnect();
    });
    return;
  }
  last = last.then(async () => {
    try {
      const run = tasks[task];
      if (run === undefined) throw new Error(`the index knows no task ${task}`);
      send({ kind: 'done', id, gives: await run(takes) });
    } catch (error) {
      send({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) });
    }
  });
});

/** Pieces that are looked through for secrets before something new is indexed. */
const PIECES_AT_ONCE = 2;

function writing(): Tasks<WriteTasks> {
  const db = openIndexForWriting(path, (reason) => send({ kind: 'anew', reason }));
  close = () => db.close();
  const indexer = new LogIndexer(db);
  const radar = new SecretRadar(db);
  return {
    known: () => indexer.known(),
    index: async ({ logs, gone, titles }) => {
      const changed = gone.filter((key) => indexer.remove(key));
      const failed: { key: string; reason: string }[] = [];
      for (const log of logs) {
        if (ending) break;
        try {
          if (await inPieces(indexer.index(log))) changed.push(log.key);
        } catch (error) {
          failed.push({ key: log.key, reason: error instanceof Error ? error.message : String(error) });
        }
      }
      for (const { session, path: file } of titles) {
        indexer.setFileTitle(session, file === null ? null : titleIn(file));
        changed.push(`session/${session}`);
      }
      return { changed, failed };
    },
    look: async () => {
      const sessions = new Set<string>();
      for (let piece = 0; piece < PIECES_AT_ONCE && !ending; piece += 1) {
        const session = radar.next();
        if (session === null) break;
        sessions.add(session);
        await setImmediate();
      }
      return [...sessions];
    },
    purge: () => {
      indexer.purge();
      return null;
    },
  };
}

/** Others have their turn between two pieces: the word that the hub stops, above all. */
async function inPieces(pieces: Generator<void, boolean, undefined>): Promise<boolean> {
  for (;;) {
    const step = pieces.next();
    if (step.done === true) return step.value;
    await setImmediate();
    if (!ending) continue;
    pieces.return(true);
    return true;
  }
}

/** Larger ones are no titles. */
const LONGEST_TITLE_FILE = 65_536;

function titleIn(file: string): string | null {
  try {
    const bytes = readFileSync(file);
    return bytes.length > LONGEST_TITLE_FILE ? null : titleInFile(bytes.toString('utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function reading(): Tasks<ReadTasks> {
  const lines = new LineReader();
  let db: Database.Database | null = null;
  close = () => db?.close();
  const ask =
    <T, G>(nothing: G, question: (db: Database.Database, takes: T) => G) =>
    (takes: T): G => {
      db ??= openIndexForReading(path);
      if (db === null) return nothing;
      try {
        return question(db, takes);
      } finally {
        lines.close();
      }
    };
  return {
    projects: ask([], (index) => listProjects(index)),
    sessions: ask({ sessions: [], total: 0 }, listSessions),
    named: ask([], sessionsWithPrefix),
    session: ask(null, (index, name: string) => {
      const session = findSession(index, name);
      if (session === null) return null;
      return { session, agents: listAgents(index, name), branches: new TranscriptPages(index, lines).tips(name) };
    }),
    secrets: ask({ sessions: [], isComplete: false }, (index, name: string | null) => ({
      sessions: listSecrets(index, name),
      isComplete: hasLooked(index),
    })),
    page: ask(null, (index, request) => new TranscriptPages(index, lines).page(request)),
    search: ask({ hits: [], cursor: null }, (index, request) => search(index, lines, request)),
  };
}
