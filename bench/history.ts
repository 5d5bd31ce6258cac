import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { IndexProcess } from '../src/hub/conversations/index-process.ts';
import type { ReadTasks, WriteTasks } from '../src/hub/conversations/worker-messages.ts';
import { figure, percentile, type Figure, type Scene } from './figure.ts';

/** Bytes of transcripts that are indexed and searched; half of them are one session. */
const BYTES = 1_000_000_000;
const QUICK_BYTES = 40_000_000;
const SEARCHES = 300;
const PAGES = 100;

/**
 * The index of conversations: how fast it is made, how large it is, how long a search and a page take. Against the time that reading and
 * parsing the same lines takes by itself.
 */
export async function history({ folder, quick, say }: Scene): Promise<Figure[]> {
  const bytes = quick ? QUICK_BYTES : BYTES;
  const words = new Words();
  say(`writing ${bytes / 1e6} MB of transcripts`);
  const sizes = [bytes / 2, ...Array.from({ length: 50 }, () => bytes / 100)];
  const logs = sizes.map((size) => {
    const session = randomUUID();
    const path = join(folder, `${session}.jsonl`);
    return { ...transcript(path, session, size, words), session, path };
  });
  const total = logs.reduce((sum, { path }) => sum + statSync(path).size, 0);

  say('parsing every line, to compare with');
  const parsing = cpuSeconds(() => logs.forEach(({ path }) => parseAll(path)));

  const path = join(folder, 'history.db');
  const onAnew = (reason: string): void => say(reason);
  const writer = new IndexProcess<WriteTasks>({ role: 'write', path, url: undefined, onAnew });
  await writer.ask('known', null);
  say('indexing');
  const before = process.cpuUsage();
  const begun = performance.now();
  const places = logs.map(({ session, path: file }) => ({
    ...{ key: `session/${session}`, session, agent: null, project: 'bench', path: file, size: statSync(file).size },
  }));
  await writer.ask('index', { logs: places, gone: [], titles: [] });
  const seconds = (performance.now() - begun) / 1000;
  const used = process.cpuUsage(before);
  const cpu = (used.user + used.system) / 1e6;
  await writer.end();

  const reader = new IndexProcess<ReadTasks>({ role: 'read', path, url: undefined, onAnew });
  await reader.ask('projects', null);
  say('searching');
  const searches: number[] = [];
  for (let count = 0; count < SEARCHES; count += 1) {
    const asked = performance.now();
    await reader.ask('search', { query: words.query(count), limit: 50 });
    searches.push(performance.now() - asked);
  }
  say('reading pages of the largest session');
  const { session } = logs[0]!;
  const ends: number[] = [];
  for (let count = 0; count < PAGES; count += 1) {
    const asked = performance.now();
    await reader.ask('page', {
      session,
      from: count % 2 === 0 ? 'start' : 'end',
      limit: 50,
      textLimit: 20_000,
      dataLimit: 0,
    });
    ends.push(performance.now() - asked);
  }
  await reader.end();
  const size = statSync(path).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0);
  const text = logs.reduce((sum, log) => sum + log.text, 0);
  return [
    figure(
      'history: time of one core to index a megabyte (60 MB/s are 16.67)',
      (cpu / (total / 1e6)) * 1e3,
      'ms',
      16.67,
    ),
    figure('history: time to index, against its goal of 60 MB/s', seconds / (total / 60e6), 'x', 1),
    figure('history: CPU time to index, against parsing the lines only', cpu / parsing, 'x'),
    figure('history: index, in percent of the transcripts', (size / total) * 100, '%', 40),
    figure('history: index, in percent of the searchable text', (size / text) * 100, '%', 40),
    figure('history: search p50', percentile(searches, 0.5), 'ms'),
    figure('history: search p95', percentile(searches, 0.95), 'ms', 100),
    figure('history: search max', percentile(searches, 1), 'ms'),
    figure(`history: first page of a session of ${Math.round(sizes[0]! / 1e6)} MB, first time`, ends[0]!, 'ms', 100),
    figure('history: page at either end p95', percentile(ends, 0.95), 'ms', 100),
  ];
}

function cpuSeconds(task: () => void): number {
  const before = process.cpuUsage();
  task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function parseAll(path: string): void {
  const file = openSync(path, 'r');
  const piece = Buffer.allocUnsafe(8 * 1024 * 1024);
  for (let at = 0; ;) {
    const read = readSync(file, piece, 0, piece.length, at);
    const end = piece.subarray(0, read).lastIndexOf(0x0a) + 1;
    if (end === 0) break;
    for (let from = 0; from < end;) {
      const newline = piece.indexOf(0x0a, from);
      JSON.parse(piece.toString('utf8', from, newline));
      from = newline + 1;
    }
    at += end;
  }
  closeSync(file);
}

/** A transcript as Claude Code writes it: prompts, answers, calls with what they returned (twice, as it does). */
function transcript(path: string, session: string, size: number, words: Words): { readonly text: number } {
  const file = openSync(path, 'w');
  let parent: string | null = null;
  let written = 0;
  let pending = '';
  let time = Date.parse('2026-01-01T00:00:00.000Z');
  let text = 0;
  const add = (record: object): void => {
    const uuid = randomUUID();
    const common = {
      parentUuid: parent,
      isSidechain: false,
      userType: 'external',
      cwd: '/home/u/app',
      sessionId: session,
    };
    const more = { version: '2.1.330', gitBranch: 'main', uuid, timestamp: new Date((time += 1_000)).toISOString() };
    pending += `${JSON.stringify({ ...common, ...record, ...more })}\n`;
    parent = uuid;
    if (pending.length < 4_000_000) return;
    written += writeSync(file, pending);
    pending = '';
  };
  const said = (length: number): string => {
    const words_ = words.text(length);
    text += words_.length;
    return words_;
  };
  const usage = { input_tokens: 5, output_tokens: 7 };
  for (let turn = 0; written + pending.length < size; turn += 1) {
    add({ type: 'user', message: { role: 'user', content: said(200) } });
    for (let step = 0; step < 6; step += 1) {
      const id = `toolu_${session.slice(0, 8)}_${turn}_${step}`;
      const message = { id: `msg_${id}`, role: 'assistant', model: 'claude', usage };
      add({ type: 'assistant', message: { ...message, content: [{ type: 'text', text: said(300) }] } });
      add({
        type: 'assistant',
        message: { ...message, content: [{ type: 'tool_use', id, name: 'Bash', input: { command: said(100) } }] },
      });
      const content = said(500 + words.random() * 6000);
      const result = { type: 'tool_result', tool_use_id: id, content };
      add({
        type: 'user',
        message: { role: 'user', content: [result] },
        toolUseResult: { stdout: content, stderr: '' },
      });
    }
  }
  writeSync(file, pending);
  closeSync(file);
  return { text };
}

/** Made-up words that are as unevenly frequent as real ones, the same in each run. */
class Words {
  readonly #words: string[] = [];
  #state = 12_345;

  constructor() {
    while (this.#words.length < 60_000) {
      let word = '';
      for (let left = 3 + this.random() * 8; left > 0; left -= 1)
        word += 'etaoinshrdlucmfwypvbgkjqxz'[Math.floor(this.random() * this.random() * 26)];
      this.#words.push(word);
    }
  }

  random(): number {
    return (this.#state = (this.#state * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
  }

  word(): string {
    return this.#words[Math.floor(this.random() ** 4 * this.#words.length)]!;
  }

  text(length: number): string {
    let text = '';
    while (text.length < length) text += this.word() + (this.random() < 0.1 ? '.\n' : ' ');
    return text;
  }

  /** What people type: words, beginnings of words, several, some in a row. */
  query(number: number): string {
    const word = this.word();
    switch (number % 6) {
      case 0:
        return word;
      case 1:
        return word.slice(0, 2);
      case 2:
        return word.slice(0, 3);
      case 3:
        return `${word} ${this.word()}`;
      case 4:
        return `"${word} ${this.word()}"`;
      default:
        return `${word} -${this.word()} ${this.word().slice(0, 2)}`;
    }
  }
}
