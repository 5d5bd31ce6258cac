import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { folderName } from '../src/core/projects/folder-name.ts';
import { timeAppends, type Route } from './append.ts';
import { figure, percentile, type Figure, type Scene } from './figure.ts';
import { HubProcess } from './hub-process.ts';
import { makeTree, type Conversation, type TreeSize } from './tree.ts';

/** 10,000 files. */
export const LARGE: TreeSize = { projects: 200, files: 10_000, bytes: 824e6, longest: 30e6 };
const QUICK: TreeSize = { projects: 30, files: 1_000, bytes: 60e6, longest: 10e6 };
const LINE_BYTES = 4_096;

/** The large tree on one machine and two empty ones: first sync, memory, idling, lines, restart. */
export async function largeTree(scene: Scene): Promise<Figure[]> {
  const { folder, quick, say, wants } = scene;
  const hub = new HubProcess(folder, ['a', 'b', 'c'], scene.program);
  const figures: Figure[] = [];
  const add = (...found: Figure[]): void => {
    figures.push(...found);
    for (const { name, value, unit } of found) say(`${name}: ${value} ${unit}`);
  };
  say('making the tree');
  const tree = makeTree(hub.home('a'), quick ? QUICK : LARGE);
  say(`${tree.files} files, ${(tree.bytes / 1e6).toFixed(0)} MB, ${tree.folders} folders`);

  const copies: Copying[] = [];
  const copy = async (): Promise<void> => {
    const copied = await copyToBoth(hub.claudeDir('a'), join(folder, `copy-${copies.length}`));
    copies.push(copied);
    say(`cp -a to both: ${copied.seconds.toFixed(1)} s, ${copied.cpu.toFixed(1)} s of CPU`);
  };
  if (wants('first-sync')) await copy();
  await run('sync');
  const cpuBefore = process.cpuUsage();
  await hub.start();
  try {
    await hub.inSync(tree.files, 250, say);
    await run('sync');
    const seconds = (performance.now() - hub.startedAt) / 1000;
    const cpu = hub.cpuMs() / 1000;
    say(
      `first sync: ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of CPU (bench: ${(process.cpuUsage(cpuBefore).user / 1e6).toFixed(1)} s)`,
    );
    if (wants('first-sync')) {
      await copy();
      const [before, after] = copies.map((copied) => copied.seconds);
      const mean = ((before ?? 0) + (after ?? 0)) / 2;
      add(figure('first sync, cp -a to both, before', before ?? 0, 's'));
      add(figure('first sync, cp -a to both, after', after ?? 0, 's'));
      add(figure('first sync, cp -a to both, CPU', Math.max(...copies.map((copied) => copied.cpu)), 's'));
      add(figure('first sync, hub', seconds, 's'));
      add(figure('first sync, hub CPU', cpu, 's'));
      add(figure('first sync, hub / cp -a', seconds / mean, 'x', 2));
      verifyEqual(hub);
    }
    await pause(5_000);
    if (wants('memory')) {
      const { rss, peak } = hub.memory();
      add(figure(`memory after first sync of ${tree.files} files`, rss, 'MB', 300));
      add(figure('memory, highest during first sync', peak, 'MB'));
    }
    if (wants('idle')) add(await idle(hub, quick ? 10_000 : 30_000, say));
    if (wants('append')) add(...(await appends(scene, hub, tree.ordinary)));
    if (wants('restart')) {
      await hub.stop();
      await hub.start();
      const ms = await hub.inSync(tree.files, 20);
      add(figure('restart with nothing changed', ms / 1000, 's', 2));
      await pause(3_000);
      add(figure('memory after restart', hub.memory().rss, 'MB'));
    }
  } finally {
    await hub.stop();
  }
  return figures;
}

/** CPU that the hub takes while nothing happens, in % of one core. */
async function idle(hub: HubProcess, ms: number, say: Scene['say']): Promise<Figure> {
  say(`idling for ${ms / 1000} s`);
  await pause(3_000);
  const before = hub.cpuMs();
  const began = performance.now();
  await pause(ms);
  return figure('idle CPU', (100 * (hub.cpuMs() - before)) / (performance.now() - began), '%', 1);
}

async function appends({ quick, say, folder }: Scene, hub: HubProcess, conversation: Conversation): Promise<Figure[]> {
  const count = quick ? 60 : 200;
  say(`appending ${count} lines`);
  const route = routeOf(hub, conversation);
  await timeAppends(route, 10, LINE_BYTES);
  const before = hub.bytesWritten();
  const times = await timeAppends(route, count, LINE_BYTES);
  const after = hub.bytesWritten();
  say(`and ${count} lines without the hub`);
  const floor = await mirrored(route, join(folder, 'mirror'), count);
  const appended = count * LINE_BYTES;
  // One of the three copies on the main thread is the archive's.
  const perTarget = (after.main - before.main - appended) / 2 / appended;
  return [
    figure('append p50', percentile(times, 0.5), 'ms', 10),
    figure('append p99', percentile(times, 0.99), 'ms', 60),
    figure('append p50, floor without the hub', percentile(floor, 0.5), 'ms'),
    figure('append p99, floor without the hub', percentile(floor, 0.99), 'ms'),
    figure('append p50 / floor', percentile(times, 0.5) / percentile(floor, 0.5), 'x'),
    figure('append, bytes written per target / bytes appended', perTarget, 'x', 2),
    figure(
      'append, all bytes written with archive and database / bytes appended',
      (after.all - before.all) / appended,
      'x',
    ),
  ];
}

/** The same lines over the simplest possible program in the hub's place. */
async function mirrored(route: Route, folder: string, count: number): Promise<number[]> {
  mkdirSync(folder, { recursive: true });
  const names = ['a', 'b', 'c'].map((name) => {
    mkdirSync(join(folder, name));
    return join(folder, name, 'x.jsonl');
  });
  for (const name of names) copyFileSync(route.source, name);
  const [source = '', ...targets] = names;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'mirror.ts'), ...names], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  try {
    return await timeAppends({ facts: route.facts, source, targets }, count, LINE_BYTES);
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  }
}

/** Where a conversation of machine `a`, the first, lies on the machines: projects keep their place below home. */
export function routeOf(hub: HubProcess, conversation: Conversation, machines = hub.machines): Route {
  const [source = '', ...targets] = machines.map((machine) => {
    const cwd = join(hub.home(machine), conversation.cwd.slice(hub.home('a').length));
    return join(hub.claudeDir(machine), 'projects', folderName(cwd), `${conversation.session}.jsonl`);
  });
  return { facts: conversation, source, targets };
}

interface Copying {
  readonly seconds: number;
  readonly cpu: number;
}

/**
 * How long `cp -a` of the tree to two new folders takes until it is on the disk, and how much of that on a processor. The copies stay
 * until the end: for minutes after thousands of files are deleted ext4 is slow to make new ones (it does not give their inodes out
 * again at once, and looks at each), which would be on the hub's account. It is measured before and after the hub, because in a
 * virtual machine memory that was never used costs several times as much as memory that was: whoever comes second is at an advantage,
 * or at a disadvantage once the first has used up what was warm.
 */
async function copyToBoth(tree: string, folder: string): Promise<Copying> {
  mkdirSync(folder);
  const copies = [join(folder, 'b'), join(folder, 'c')];
  await run('sync');
  const began = performance.now();
  const child = spawn('sh', ['-c', 'cp -a "$1" "$2" && cp -a "$1" "$3" && sync && times', 'sh', tree, ...copies], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`cp ended with code ${code}`);
  const seconds = (performance.now() - began) / 1000;
  // The second line is about the children: `0m0.500000s 0m11.200000s`.
  const times = (output.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g);
  return { seconds, cpu: [...times].reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0) };
}

/** Runs a command. @throws when it fails. */
export async function run(command: string, ...args: string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with code ${code}`);
}

/** A fast sync of the wrong bytes is worth nothing. @throws when two machines hold different bytes. */
export function verifyEqual(hub: HubProcess): void {
  const sums = hub.machines.map((machine) =>
    execFileSync(
      'sh',
      [
        '-c',
        "find . -name .claude-sync -prune -o -type f ! -name history.jsonl -print0 | xargs -0 sha256sum | awk '{print $1}' | sort | sha256sum",
      ],
      {
        cwd: hub.claudeDir(machine),
        encoding: 'utf8',
      },
    ),
  );
  // All but the history, which names the folders of each machine.
  if (new Set(sums).size > 1) throw new Error('the trees differ after the first sync');
}
