/**
 * `npm run bench`: how long one line takes from one folder to another. A real hub with two local folders, 200 lines, one after the
 * other, each timed from before it is written until it can be read on the other side. `--lines N`, `--json`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ensureInstalled, Failed, giveUp, pinnedNode, ROOT } from './bootstrap.mjs';

const SESSION = '00000000-0000-4000-8000-000000000001';
/** The limit that the product must never pass. */
const LIMIT_MS = 10_000;

const { values } = parseArgs({
  options: { lines: { type: 'string', default: '200' }, json: { type: 'boolean', default: false } },
});

try {
  ensureInstalled();
  const folder = await mkdtemp(join(tmpdir(), 'claude-sync-bench-'));
  const hub = await startHub(folder);
  try {
    report(await measure(folder, Number(values.lines)));
  } finally {
    hub.kill('SIGTERM');
    if (hub.exitCode === null && hub.signalCode === null) await once(hub, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
} catch (error) {
  giveUp(error);
}

async function startHub(folder) {
  const machines = {};
  for (const name of ['a', 'b']) {
    const home = join(folder, name);
    await mkdir(join(home, '.claude', 'projects'), { recursive: true, mode: 0o700 });
    machines[name] = { transport: 'local', claudeDir: join(home, '.claude'), home };
  }
  const config = join(folder, 'config.jsonc');
  await writeFile(config, JSON.stringify({ machines }));
  const arguments_ = ['dist/claude-sync.js', '--config', config, '--data-dir', join(folder, 'data'), 'hub'];
  const hub = spawn(pinnedNode(), arguments_, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  await until(
    () => isThere(join(folder, 'data', 'hub.json')),
    () => hub.exitCode !== null,
    'the hub to start',
  );
  return hub;
}

/** @returns the times in ms, in order. */
async function measure(folder, count) {
  const home = (name) => join(folder, name);
  const place = (name) =>
    join(home(name), '.claude', 'projects', join(home(name), 'app').replace(/[^A-Za-z0-9]/g, '-'), `${SESSION}.jsonl`);
  await mkdir(join(place('a'), '..'), { recursive: true });
  const times = [];
  let bytes = 0;
  for (let number = 0; number <= count; number += 1) {
    const line = `${JSON.stringify({ type: 'user', uuid: String(number), sessionId: SESSION, cwd: join(home('a'), 'app'), text: 'x'.repeat(300) })}\n`;
    const began = performance.now();
    await appendFile(place('a'), line);
    bytes += line.length;
    await until(
      () => sizeOf(place('b')).then((size) => size >= bytes),
      () => performance.now() - began > LIMIT_MS,
      `line ${number}`,
    );
    // The first one makes the file, folders and all; what counts is a conversation that goes on.
    if (number > 0) times.push(performance.now() - began);
    // Watchers put events of one file within 50 ms together; people and tools write slower than that.
    await pause(100);
  }
  const [there, here] = await Promise.all([readFile(place('b')), readFile(place('a'))]);
  if (!there.equals(here)) throw new Failed('The two files differ: the measurement is worthless.');
  return times;
}

function report(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));
  const result = { lines: sorted.length, p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
  if (values.json) console.log(JSON.stringify(result));
  else
    console.log(
      `${result.lines} lines: p50 ${result.p50Ms} ms, p90 ${result.p90Ms} ms, p99 ${result.p99Ms} ms, max ${result.maxMs} ms`,
    );
}

async function until(done, hopeless, what) {
  while (!(await done())) {
    if (hopeless()) throw new Failed(`Waited in vain for ${what}.`);
    await pause(1);
  }
}

async function isThere(file) {
  return (await sizeOf(file)) > 0;
}

async function sizeOf(file) {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error.code === 'ENOENT') return 0;
    throw error;
  }
}
