import { setTimeout as pause } from 'node:timers/promises';
import { timeAppends } from './append.ts';
import { figure, percentile, type Figure, type Scene } from './figure.ts';
import { HubProcess } from './hub-process.ts';
import { routeOf } from './large-tree.ts';
import { addConversation, makeTree } from './tree.ts';

/** Two transcripts, one ten times as long as the other, written on in turns: the cost of a line must not depend on what is before it. */
export async function fileSize(scene: Scene): Promise<Figure[]> {
  const { quick, say } = scene;
  const long = quick ? 30e6 : 300e6;
  const hub = new HubProcess(scene.folder, ['a', 'b', 'c'], scene.program);
  const size = { projects: 2, files: 40, bytes: long + 20e6, longest: long };
  const tree = makeTree(hub.home('a'), size);
  await hub.start();
  try {
    await hub.inSync(tree.files, 100, say);
    const peak = hub.memory().peak;
    const short = addConversation(hub.home('a'), long / 10, 8);
    await hub.inSync(tree.files + 1, 100, say);
    await pause(1_000);
    const times: { short: number[]; long: number[] } = { short: [], long: [] };
    for (let round = 0; round < (quick ? 2 : 5); round += 1) {
      say(`appending, round ${round + 1}`);
      times.short.push(...(await timeAppends(routeOf(hub, short), 20, 4_096)));
      times.long.push(...(await timeAppends(routeOf(hub, tree.longest), 20, 4_096)));
    }
    const [p50Short, p50Long] = [percentile(times.short, 0.5), percentile(times.long, 0.5)];
    return [
      figure(`append p50, ${long / 10e6} MB before it`, p50Short, 'ms'),
      figure(`append p50, ${long / 1e6} MB before it`, p50Long, 'ms'),
      figure('append p50, ten times the file', p50Long / p50Short, 'x', 1.5),
      figure(`memory, highest with a transcript of ${long / 1e6} MB`, peak, 'MB', 300),
    ];
  } finally {
    await hub.stop();
  }
}
