import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { timeAppends, type Route } from '../append.ts';
import { figure, percentile, type Figure, type Scene } from '../figure.ts';
import { routeOf } from '../large-tree.ts';
import { makeTree, type Tree, type TreeSize } from '../tree.ts';
import { SshGround, type SshGroundOptions } from './ground.ts';
import { overTail } from './tail.ts';

/** 500 files with a transcript of 30 MB, which is the one that is written on. */
export const SMALL: TreeSize = { projects: 26, files: 500, bytes: 130e6, longest: 30e6 };
/** To see that it runs. */
export const TINY: TreeSize = { projects: 5, files: 60, bytes: 5e6, longest: 2e6 };
/** Of a line. */
export const LINE_BYTES = 4_096;

const SSH = ['a', 'b', 'c'];
const POLL_SECONDS = 2;

/** A ground whose machine `a` has a tree that is on all others, and the way of a line from `a` to the others over SSH. */
export interface Settled {
  readonly ground: SshGround;
  readonly tree: Tree;
  readonly route: Route;
}

/** Opens a ground with a tree on `a` and starts its hub; resolves when all have it. The caller closes the ground. */
export async function settled(
  scene: Scene,
  options: Omit<SshGroundOptions, 'program'>,
  size: TreeSize,
): Promise<Settled> {
  const ground = await SshGround.open({ program: scene.program, ...options });
  try {
    const tree = makeTree(ground.hub.home(options.ssh[0] ?? ''), size);
    await ground.hub.start();
    await ground.hub.inSync(tree.files, 100);
    scene.say(await ground.watchers());
    return { ground, tree, route: routeOf(ground.hub, tree.longest, options.ssh) };
  } catch (error) {
    await ground.close();
    throw error;
  }
}

/** The same lines over `tail -F` and `cat` in the hub's place, in files of their own. */
export async function tailed({ ground, route }: Settled, count: number): Promise<number[]> {
  const folder = join(ground.hub.folder, 'tailed');
  const names = [...ground.machines.keys()];
  for (const name of names) mkdirSync(join(folder, name), { recursive: true });
  const [source = '', ...targets] = names.map((name) => join(folder, name, 'x.jsonl'));
  for (const path of [source, ...targets]) copyFileSync(route.source, path);
  const way = { facts: route.facts, source, targets };
  return overTail([...ground.machines.values()], way, async () => {
    await timeAppends(way, 5, LINE_BYTES);
    return timeAppends(way, count, LINE_BYTES);
  });
}

/** Lines from one machine over SSH to two others: on a near network, on a far one, and from a machine that nothing watches. */
export async function sshAppend(scene: Scene): Promise<Figure[]> {
  return [...(await near(scene)), ...(await far(scene)), ...(await polled(scene))];
}

async function near(scene: Scene): Promise<Figure[]> {
  const count = scene.quick ? 30 : 200;
  const folder = join(scene.folder, 'near');
  const here = await settled(scene, { folder, ssh: SSH, local: ['own'] }, scene.quick ? TINY : SMALL);
  try {
    scene.say(`${count} lines, and ${count} without the hub`);
    await timeAppends(here.route, 10, LINE_BYTES);
    const times = await timeAppends(here.route, count, LINE_BYTES);
    const floor = await tailed(here, count);
    return [
      figure('ssh append p50', percentile(times, 0.5), 'ms', 15),
      figure('ssh append p99', percentile(times, 0.99), 'ms', 80),
      ...floorFigures('ssh append', times, floor),
    ];
  } finally {
    await here.ground.close();
  }
}

async function far(scene: Scene): Promise<Figure[]> {
  const count = scene.quick ? 20 : 100;
  const where = {
    folder: join(scene.folder, 'far'),
    ssh: SSH,
    local: ['own'],
    reach: 'delayed',
    latencyMs: 10,
  } as const;
  const here = await settled(scene, where, TINY);
  try {
    scene.say(`${count} lines with 20 ms a round trip, and ${count} without the hub`);
    await timeAppends(here.route, 10, LINE_BYTES);
    const times = await timeAppends(here.route, count, LINE_BYTES);
    const floor = await tailed(here, count);
    return [
      figure('ssh append p50, 20 ms a round trip', percentile(times, 0.5), 'ms', 120),
      figure('ssh append p99, 20 ms a round trip', percentile(times, 0.99), 'ms'),
      ...floorFigures('ssh append, 20 ms a round trip', times, floor),
    ];
  } finally {
    await here.ground.close();
  }
}

async function polled(scene: Scene): Promise<Figure[]> {
  const count = scene.quick ? 5 : 50;
  const entries = { a: { watch: 'poll' } };
  const folder = join(scene.folder, 'polled');
  const here = await settled(scene, { folder, ssh: SSH, local: ['own'], entries }, scene.quick ? TINY : SMALL);
  try {
    scene.say(`${count} lines from a machine that is looked at every ${POLL_SECONDS} s`);
    await timeAppends(here.route, 2, LINE_BYTES);
    const times = await timeAppends(here.route, count, LINE_BYTES, POLL_SECONDS * 1_000);
    return [
      figure('ssh append p50, polled', percentile(times, 0.5), 'ms'),
      figure('ssh append p99, polled', percentile(times, 0.99), 'ms', POLL_SECONDS * 1_000 + 1_000),
    ];
  } finally {
    await here.ground.close();
  }
}

function floorFigures(name: string, times: readonly number[], floor: readonly number[]): Figure[] {
  return [
    figure(`${name} p50, floor: ssh tail -F | ssh cat`, percentile(floor, 0.5), 'ms'),
    figure(`${name} p99, floor: ssh tail -F | ssh cat`, percentile(floor, 0.99), 'ms'),
    figure(`${name} p50 / floor`, percentile(times, 0.5) / percentile(floor, 0.5), 'x'),
  ];
}
