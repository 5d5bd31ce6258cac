import { join } from 'node:path';
import { figure, percentile, type Figure, type Scene } from '../figure.ts';
import { LARGE, run, verifyEqual } from '../large-tree.ts';
import { makeTree, type TreeSize } from '../tree.ts';
import { SMALL, TINY } from './append.ts';
import { SshGround } from './ground.ts';
import { rsyncFrom, rsyncTo } from './rsync.ts';

const QUICK: TreeSize = { projects: 30, files: 1_000, bytes: 60e6, longest: 10e6 };
const WAYS = ['-a', '-az'] as const;
/** What moves: from the hub's own folder to a machine over SSH, and from one such machine to another. */
const COURSES = ['own to ssh', 'ssh to ssh'] as const;
type Course = (typeof COURSES)[number];

/**
 * A machine that has nothing gets a tree that another one has, from an empty hub, against rsync of the same tree to the same machine.
 * rsync goes first, in the middle and last; what it took is the mean, so that a disk that gets slower is on nobody's account. Small trees
 * take a second, so they are taken three times and the median counts.
 */
export async function sshFirstSync(scene: Scene): Promise<Figure[]> {
  const { quick } = scene;
  const large = await firstSyncs(scene, quick ? 'quick' : '10,000 files', quick ? QUICK : LARGE, 1);
  const small = await firstSyncs(scene, quick ? 'tiny' : '500 files', quick ? TINY : SMALL, quick ? 1 : 3);
  return [...small, ...large];
}

async function firstSyncs(scene: Scene, name: string, size: TreeSize, rounds: number): Promise<Figure[]> {
  const hub: Record<Course, number[]> = { 'own to ssh': [], 'ssh to ssh': [] };
  const begin: number[] = [];
  const cpu: Record<Course, number[]> = { 'own to ssh': [], 'ssh to ssh': [] };
  const rsync: Record<(typeof WAYS)[number], number[]> = { '-a': [], '-az': [] };
  /** What any hub takes at least that keeps a copy: from the machine, then to the other one. */
  const twice: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const course of COURSES) {
      const folder = join(scene.folder, `${size.files}-${round}-${course.replaceAll(' ', '-')}`);
      scene.say(`${name}, ${course}: making the tree`);
      const ground = await SshGround.open({
        folder,
        program: scene.program,
        ssh: course === 'own to ssh' ? ['b'] : ['a', 'b'],
        local: course === 'own to ssh' ? ['a'] : [],
      });
      try {
        const tree = makeTree(ground.hub.home('a'), size);
        const copy = async (turn: number): Promise<void> => {
          for (const way of WAYS) {
            const seconds = await rsyncTo(
              ground.machine('b'),
              way,
              ground.hub.claudeDir('a'),
              join(folder, `rsync${way}${turn}`),
            );
            scene.say(`rsync ${way}: ${seconds.toFixed(2)} s`);
            rsync[way].push(seconds);
          }
        };
        await copy(0);
        await run('sync');
        await ground.hub.start();
        begin.push((performance.now() - ground.hub.startedAt) / 1_000);
        const seconds = (await ground.hub.inSync(tree.files, size.files > 1_000 ? 100 : 20)) / 1_000;
        hub[course].push(seconds);
        cpu[course].push(ground.hub.cpuMs() / 1_000);
        scene.say(`hub: ${seconds.toFixed(2)} s; ${await ground.watchers()}`);
        if (course === COURSES[1]) {
          await copy(1);
          twice.push(await viaHere(ground, folder));
          scene.say(`rsync -az twice: ${twice.at(-1)?.toFixed(2)} s`);
        }
        verifyEqual(ground.hub);
      } finally {
        await ground.close();
      }
    }
  }
  const usual = rounds === 1 ? mean : (samples: readonly number[]): number => percentile(samples, 0.5);
  const best = Math.min(...WAYS.map((way) => usual(rsync[way])));
  return [
    ...WAYS.map((way) => figure(`ssh first sync, ${name}, rsync ${way}`, usual(rsync[way]), 's')),
    figure(`ssh first sync, ${name}, rsync -az to here and on from here`, usual(twice), 's'),
    figure(`ssh first sync, ${name}, of which the start of the hub`, mean(begin), 's'),
    ...COURSES.flatMap((course) => [
      figure(`ssh first sync, ${name}, ${course}`, usual(hub[course]), 's'),
      figure(`ssh first sync, ${name}, ${course}, CPU of the hub`, usual(cpu[course]), 's'),
      figure(`ssh first sync, ${name}, ${course} / better rsync`, usual(hub[course]) / best, 'x', 1),
    ]),
  ];
}

/** rsync from one machine into a folder here, and from there to the other machine. */
async function viaHere(ground: SshGround, folder: string): Promise<number> {
  const here = join(folder, 'here');
  const from = await rsyncFrom(ground.machine('a'), '-az', ground.hub.claudeDir('a'), here);
  return from + (await rsyncTo(ground.machine('b'), '-az', here, join(folder, 'there')));
}

function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
}
