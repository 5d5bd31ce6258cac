import { figure, type Figure, type Scene } from './figure.ts';
import { HubProcess } from './hub-process.ts';
import { makeTree } from './tree.ts';

/** One transcript of a gigabyte: nothing may be held in memory whole. */
export async function hugeFile(scene: Scene): Promise<Figure[]> {
  const bytes = scene.quick ? 200e6 : 1e9;
  const hub = new HubProcess(scene.folder, ['a', 'b', 'c'], scene.program);
  const tree = makeTree(hub.home('a'), { projects: 2, files: 40, bytes: bytes + 20e6, longest: bytes });
  await hub.start();
  try {
    const ms = await hub.inSync(tree.files, 100, scene.say);
    return [
      figure(`memory, highest with a transcript of ${bytes / 1e6} MB`, hub.memory().peak, 'MB', 300),
      figure(`first sync with a transcript of ${bytes / 1e6} MB`, ms / 1000, 's'),
    ];
  } finally {
    await hub.stop();
  }
}
