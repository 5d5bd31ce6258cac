import { join } from 'node:path';
import { timeAppends } from '../append.ts';
import { figure, percentile, type Figure, type Scene } from '../figure.ts';
import { LINE_BYTES, TINY, settled, tailed } from './append.ts';

const NAMES = 'abcdefghijklmnop'.split('');
const ROUNDS = 5;

/**
 * Lines from one machine to 15 others, against lines to two others; two hubs, asked in turns, so that both have the same conditions.
 * The floor tells how much of the difference is what the machine takes for 15 times the work.
 */
export async function sshSixteen(scene: Scene): Promise<Figure[]> {
  const { folder, quick, say } = scene;
  const count = quick ? 5 : 20;
  const three = await settled(scene, { folder: join(folder, 'three'), ssh: NAMES.slice(0, 3), local: ['own'] }, TINY);
  try {
    const many = await settled(scene, { folder: join(folder, 'sixteen'), ssh: NAMES, local: ['own'] }, TINY);
    try {
      const few: number[] = [];
      const all: number[] = [];
      for (const { route } of [three, many]) await timeAppends(route, 5, LINE_BYTES);
      const { rss } = many.ground.hub.memory();
      for (let round = 0; round < (quick ? 1 : ROUNDS); round += 1) {
        say(`round ${round + 1}: ${count} lines each`);
        few.push(...(await timeAppends(three.route, count, LINE_BYTES)));
        all.push(...(await timeAppends(many.route, count, LINE_BYTES)));
      }
      const memory = many.ground.hub.memory();
      say('and without the hub');
      const fewFloor = await tailed(three, count * 2);
      const allFloor = await tailed(many, count * 2);
      const half = (samples: readonly number[]): number => percentile(samples, 0.5);
      return [
        figure('ssh append p50, 3 machines', half(few), 'ms'),
        figure('ssh append p50, 16 machines', half(all), 'ms'),
        figure('ssh append p99, 16 machines', percentile(all, 0.99), 'ms'),
        figure('ssh append p50, 16 machines / 3 machines', half(all) / half(few), 'x', 2),
        figure('ssh append p50, 3 machines, floor', half(fewFloor), 'ms'),
        figure('ssh append p50, 16 machines, floor', half(allFloor), 'ms'),
        figure('ssh append p50, 16 machines / 3 machines, floor', half(allFloor) / half(fewFloor), 'x'),
        figure('memory with 16 machines over SSH', Math.max(rss, memory.rss), 'MB', 400),
        figure('memory with 16 machines over SSH, highest', memory.peak, 'MB'),
      ];
    } finally {
      await many.ground.close();
    }
  } finally {
    await three.ground.close();
  }
}
