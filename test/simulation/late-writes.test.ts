import assert from 'node:assert/strict';
import { ALL_GUARDS } from '../../src/hub/engine/guards.ts';
import { play } from './guards/stage.ts';

describe('what is written while the hub replaces a conversation', () => {
  it('comes back also when the new file is written to, and moved away, in the same moment', async () => {
    const broken = await play(ALL_GUARDS, async (stage) => {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const other = stage.resume(rog, cli.session);
      const path = rog.at(stage.transcript(rog, cli.session));
      rog.link.cut();
      cli.interject();
      other.interject();
      cli.exit();
      other.exit();
      await stage.pass(10_000);
      const open = rog.volume.find(path);
      stage.strike(
        rog,
        'after',
        ({ operation, path: at }) => operation === 'renameOver' && at.endsWith('.jsonl'),
        () => {
          stage.title(rog, cli.session, open, 'to the old file');
          stage.title(rog, cli.session, rog.volume.find(path), 'to the new file');
          const moving = stage.resume(rog, cli.session);
          moving.changeFolder('code/my.lib');
          moving.exit();
        },
      );
      rog.link.restore();
      await stage.until(() => !stage.waiting);
      await stage.pass(60_000);
    });
    assert.deepEqual(broken, []);
  });
});
