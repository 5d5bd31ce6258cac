import assert from 'node:assert/strict';
import { ALL_GUARDS } from '../../src/hub/engine/guards.ts';
import type { SimulatedMachine } from './machine.ts';
import { play } from './guards/stage.ts';

describe('a line without uuid that a machine says in the moment in which the hub sends the same', () => {
  it('is kept: what the hub sent is in front of it', async () => {
    const broken = await play(ALL_GUARDS, async (stage) => {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const other = stage.resume(rog, cli.session);
      const say = (machine: SimulatedMachine, title: string): string => {
        const file = machine.volume.find(machine.at(stage.transcript(machine, cli.session)));
        return stage.title(machine, cli.session, file, title);
      };
      stage.strike(
        rog,
        'after',
        ({ operation, path }) => operation === 'handle.write' && path.endsWith('.jsonl'),
        () => {
          cli.interject();
          other.interject();
          say(rog, 'one');
        },
      );
      const one = say(xps, 'one');
      say(xps, 'two');
      await stage.until(() => !stage.waiting);
      await stage.pass(40_000);
      cli.exit();
      other.exit();
      await stage.pass(60_000);
      for (const machine of [xps, rog]) {
        const lines = stage.text(machine, stage.transcript(machine, cli.session))?.split('\n') ?? [];
        const titles = lines.filter((line) => line === one).length;
        stage.expect(titles === 2, `${machine.name} has the title ${titles} times that was given twice`);
      }
    });
    assert.deepEqual(broken, []);
  });
});
