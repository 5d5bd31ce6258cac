import { setTimeout as pause } from 'node:timers/promises';
import { figure, type Figure, type Scene } from './figure.ts';
import { HubProcess } from './hub-process.ts';
import { makeTree } from './tree.ts';

/** 500 files on three machines: what the hub itself needs. */
export async function smallTree(scene: Scene): Promise<Figure[]> {
  const hub = new HubProcess(scene.folder, ['a', 'b', 'c'], scene.program);
  const tree = makeTree(hub.home('a'), { projects: 10, files: 500, bytes: 40e6, longest: 5e6 });
  await hub.start();
  try {
    await hub.inSync(tree.files, 100);
    await pause(5_000);
    const { rss, peak } = hub.memory();
    return [
      figure('memory after first sync of 500 files', rss, 'MB', 120),
      figure('memory, highest with 500 files', peak, 'MB'),
    ];
  } finally {
    await hub.stop();
  }
}
