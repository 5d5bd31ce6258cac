import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { figure, percentile, type Figure, type Scene } from '../figure.ts';
import { LARGE } from '../large-tree.ts';
import { SMALL, settled } from './append.ts';
import { rsyncTo } from './rsync.ts';

/**
 * A whole scan of a machine with 10,000 files where nothing changed: what `claude-sync sync MACHINE` takes at the hub, from the request
 * until everything there was compared with what is known. Beside it what rsync takes to find that nothing changed.
 */
export async function sshScan(scene: Scene): Promise<Figure[]> {
  const { quick, say, folder } = scene;
  const { ground, tree } = await settled(scene, { folder, ssh: ['a'] }, quick ? SMALL : LARGE);
  try {
    const copy = join(folder, 'copy');
    const again = (): Promise<number> => rsyncTo(ground.machine('a'), '-a', ground.hub.claudeDir('a'), copy);
    await again();
    // Files that were written within 2 s of a look are looked at again.
    await pause(5_000);
    const times: number[] = [];
    const noop: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      const cpu = ground.hub.cpuMs();
      times.push((await ground.hub.scan('a')) / 1_000);
      say(`scan: ${times.at(-1)?.toFixed(2)} s, ${(ground.hub.cpuMs() - cpu).toFixed(0)} ms of CPU`);
      noop.push(await again());
    }
    return [
      figure(`ssh scan of ${tree.files} files`, percentile(times, 0.5), 's', quick ? null : 1.5),
      figure(`ssh scan of ${tree.files} files, slowest of ${times.length}`, Math.max(...times), 's'),
      figure(`ssh scan, rsync -a with nothing to do`, percentile(noop, 0.5), 's'),
    ];
  } finally {
    await ground.close();
  }
}
