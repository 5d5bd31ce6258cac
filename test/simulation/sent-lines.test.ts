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
      const title = (text: string): string =>
        JSON.stringify({ type: 'ai-title', aiTitle: text, sessionId: cli.session });
      const say = (machine: SimulatedMachine, lines: readonly string[]): void => {
        const file = machine.volume.find(machine.at(stage.transcript(machine, cli.session)));
        if (!file) throw new Error('the conversation is not there');
        machine.volume.append(file, Buffer.from(lines.map((line) => `${line}\n`).join('')));
        for (const line of lines) stage.ledger.lineWritten(machine.name, `session/${cli.session}`, line);
      };
      stage.strike(
        rog,
        'after',
        ({ operation, path }) => operation === 'handle.write' && path.endsWith('.jsonl'),
        () => {
          cli.interject();
          other.interject();
          say(rog, [title('one')]);
        },
      );
      say(xps, [title('one'), title('two')]);
      await stage.until(() => !stage.waiting);
      await stage.pass(40_000);
      cli.exit();
      other.exit();
      await stage.pass(60_000);
      for (const machine of [xps, rog]) {
        const lines = stage.text(machine, stage.transcript(machine, cli.session))?.split('\n') ?? [];
        const titles = lines.filter((line) => line === title('one')).length;
        stage.expect(titles === 2, `${machine.name} has the title ${titles} times that was given twice`);
      }
    });
    assert.deepEqual(broken, []);
  });
});
