import { setTimeout as pause } from 'node:timers/promises';
import { figure, type Figure, type Scene } from '../figure.ts';
import { SMALL, TINY, settled } from './append.ts';

/** The hub lists every machine that often, s; a window shorter than that may have no such scan in it. */
const SCAN_SECONDS = 900;

/** Bytes to and from machines while nothing happens, one that is watched and one that is looked at, both with 500 files. */
export async function sshIdle(scene: Scene): Promise<Figure[]> {
  const seconds = scene.quick ? 10 : scene.long ? 900 : 120;
  const where = { folder: scene.folder, ssh: ['a', 'b'], local: ['own'], reach: 'counted' } as const;
  const entries = { b: { watch: 'poll' } };
  const { ground } = await settled(scene, { ...where, entries }, scene.quick ? TINY : SMALL);
  const count = async () => ({ at: performance.now(), a: await ground.bytes('a'), b: await ground.bytes('b') });
  try {
    scene.say(
      `nothing happens for ${seconds} s; bytes are counted ${ground.counter === 'cable' ? 'with' : 'without'} headers`,
    );
    await pause(scene.quick ? 3_000 : 15_000);
    const [began, cpu] = [await count(), ground.hub.cpuMs()];
    await pause(seconds * 1_000);
    const ended = await count();
    const passed = (ended.at - began.at) / 1_000;
    const busy = (ground.hub.cpuMs() - cpu) / 10 / passed;
    const watched = (ended.a - began.a) / passed;
    await ground.hub.scan('a');
    const scan = (await count()).a - ended.a;
    return [
      figure(`ssh idle over ${seconds} s, watched`, watched, 'B/s', 2_048),
      figure(
        `ssh idle, watched, and a scan every ${SCAN_SECONDS / 60} min`,
        watched + scan / SCAN_SECONDS,
        'B/s',
        2_048,
      ),
      figure(`ssh idle over ${seconds} s, polled`, (ended.b - began.b) / passed, 'B/s', 20_480),
      figure('ssh idle, a whole scan of 500 files', scan, 'B'),
      figure('ssh idle, CPU of the hub with one of each', busy, '%'),
    ];
  } finally {
    await ground.close();
  }
}
