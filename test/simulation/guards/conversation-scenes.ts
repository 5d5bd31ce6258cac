import type { Scenes } from './scene.ts';
import type { Stage } from './stage.ts';

/** Scenes about the logs of conversations. */
export const CONVERSATION_SCENES: Scenes = {
  'one-copy': {
    what: 'a second copy of a session turns up in another folder, with a line of its own',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      cli.exit();
      await stage.start();
      const path = stage.transcript(rog, cli.session);
      const second = `projects/${rog.projectFolder('work/site')}/${cli.session}.jsonl`;
      const line = JSON.stringify({ type: 'ai-title', aiTitle: 'written in the second copy', sessionId: cli.session });
      rog.write(second, Buffer.from(`${stage.text(rog, path)}${line}\n`, 'latin1'));
      stage.ledger.lineWritten('rog', `session/${cli.session}`, line);
      await stage.pass(60_000);
      await stage.rest();
      const copies = rog
        .files('projects')
        .filter((file) => file.split('/').length === 3 && file.endsWith(`${cli.session}.jsonl`));
      stage.expect(copies.length === 1, `rog has ${copies.length} copies: the CLI finds none of two`);
    },
  },

  'unknown-outcome': {
    what: 'an append of a connection that broke is carried out after the next one has sent the same lines',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const path = stage.transcript(rog, cli.session);
      const before = stage.text(rog, path)?.length ?? 0;
      stage.strike(
        rog,
        'before',
        (request) => request.operation === 'handle.write' && request.path.endsWith('.jsonl'),
        () => rog.link.cut(),
      );
      cli.turn();
      await stage.until(() => !stage.waiting);
      await stage.pass(5000);
      rog.link.restore();
      await stage.rest();
      const file = rog.volume.find(rog.at(path));
      const late = Buffer.from((stage.text(rog, path) ?? '').slice(before));
      stage.expect(late.length > 0, 'the lines did not arrive at all');
      if (file) rog.volume.as('hub', () => rog.volume.append(file, late));
      await stage.pass(5000);
      cli.exit();
      await stage.rest();
      const head = (await stage.contents()).heads.get(`session/${cli.session}`)?.toString() ?? '';
      const lines = head.split('\n').slice(0, -1);
      stage.expect(new Set(lines).size === lines.length, 'the head has lines twice');
    },
  },

  'own-pieces': {
    what: "the disk fills up in the middle of an append, and somebody ends the line's beginning with a newline",
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const file = rog.volume.find(rog.at(stage.transcript(rog, cli.session)));
      if (!file) throw new Error('the conversation did not arrive');
      const before = file.size;
      stage.strike(
        rog,
        'before',
        (request) => request.operation === 'handle.write' && request.path.endsWith('.jsonl'),
        () => (rog.volume.capacity = rog.volume.used + 40),
      );
      cli.interject();
      await stage.until(() => file.size > before);
      const piece = rog.volume.read(file, before, file.size).toString('latin1');
      rog.volume.capacity = Number.MAX_SAFE_INTEGER;
      stage.ledger.remember(`session/${cli.session}`, piece);
      rog.volume.append(file, Buffer.from('\n'));
      await stage.pass(5000);
      cli.exit();
      await stage.rest();
      const head = (await stage.contents()).heads.get(`session/${cli.session}`)?.toString('latin1') ?? '';
      stage.expect(piece.length === 40, `${piece.length} bytes of the line were written`);
      stage.expect(!head.split('\n').includes(piece), 'the beginning of a line is a line on every machine');
    },
  },

  'sent-lines': {
    what: 'the hub appends behind a line that came in the same moment, and the last message is withdrawn before the hub looks',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const other = stage.resume(rog, cli.session);
      const isAppend: Parameters<typeof stage.strike>[2] = ({ operation, path }) =>
        operation === 'handle.write' && path.endsWith('.jsonl');
      stage.strike(rog, 'before', isAppend, () => {
        other.interject();
        stage.strike(rog, 'after', isAppend, () => other.withdraw());
      });
      cli.retitle();
      await stage.until(() => !stage.waiting);
      await stage.pass(5000);
      cli.exit();
      other.exit();
    },
  },

  'archive-tail': {
    what: 'the hub dies between the archive and the database',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const tail = [...stage.hubVolume.walk()].find(
        ({ path, inode }) => inode.type === 'file' && path.endsWith(`${cli.session}.jsonl`),
      );
      stage.hub.crash('kill');
      // Bytes of an append that the database does not know: the beginning of a line only.
      if (tail) stage.hubVolume.append(tail.inode, Buffer.from('{"type":"user","uuid":"never comm'));
      await stage.pass(1000);
      await stage.start();
      cli.turn();
      await stage.pass(10_000);
      cli.exit();
      await stage.rest();
      stage.expect(
        stage.text(rog, stage.transcript(rog, cli.session))?.includes('never comm') === false,
        'rog got bytes that were never committed',
      );
    },
  },

  'cut-keeps-head': {
    what: 'a message is withdrawn on one machine',
    async play(stage) {
      const { xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      cli.interject();
      await stage.pass(5000);
      const before = (await stage.contents()).heads.get(`session/${cli.session}`);
      cli.withdraw();
      await stage.pass(10_000);
      const after = (await stage.contents()).heads.get(`session/${cli.session}`);
      stage.expect((after?.length ?? 0) >= (before?.length ?? 1), 'the head lost the withdrawn message');
      cli.exit();
    },
  },

  'whole-lines': {
    what: 'a program dies in the middle of a line',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      cli.exit();
      const inode = xps.volume.find(xps.at(stage.transcript(xps, cli.session)));
      if (inode) xps.volume.append(inode, Buffer.from('{"type":"assistant","uuid":"half a l'));
      await stage.pass(5000);
      stage.expect(
        stage.text(rog, stage.transcript(rog, cli.session))?.includes('half a l') === false,
        'rog got half a line',
      );
    },
  },

  'verify-prefix': {
    what: 'a message is withdrawn, and more is written than was taken away, between two looks',
    async play(stage) {
      const { xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      cli.withdraw();
      for (let i = 0; i < 4; i++) cli.interject();
      await stage.pass(10_000);
      cli.exit();
    },
  },

  'merge-divergence': {
    what: 'the same session is continued on both machines at once',
    async play(stage) {
      await divergence(stage);
    },
  },

  'merge-cursor': {
    what: 'the same session is continued on both machines at once, and then again on each',
    async play(stage) {
      await divergence(stage);
    },
  },

  'append-precondition': {
    what: 'a program dies in the middle of a line just before the hub appends',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      stage.strike(
        rog,
        'before',
        ({ operation, path }) => operation === 'open-append' && path.endsWith('.jsonl'),
        () => tear(stage, rog, cli.session),
      );
      cli.turn();
      await stage.until(() => !stage.waiting);
      await stage.pass(2000);
      const lines = stage.text(rog, stage.transcript(rog, cli.session))?.split('\n') ?? [];
      stage.expect(
        lines.slice(0, -1).every((line) => !line.startsWith(TORN)),
        "the hub's line is in one line with a torn one",
      );
      await stage.pass(28_000);
      cli.exit();
    },
  },

  'torn-target': {
    what: 'a program died in the middle of a line a while ago, and the other machine goes on',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      tear(stage, rog, cli.session);
      await stage.pass(3000);
      cli.turn();
      await stage.pass(30_000);
      cli.exit();
    },
  },

  'live-append-only': {
    what: 'a session that diverged stays open on both machines',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const other = stage.resume(rog, cli.session);
      await stage.pass(20_000);
      // Both write before either line can have travelled.
      cli.interject();
      other.interject();
      await stage.pass(60_000);
      cli.exit();
      other.exit();
    },
  },

  'late-writes': {
    what: 'a program that had the file open writes into it after the hub has replaced it',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const other = stage.resume(rog, cli.session);
      const open = rog.volume.find(rog.at(stage.transcript(rog, cli.session)));
      rog.link.cut();
      cli.interject();
      other.interject();
      cli.exit();
      other.exit();
      await stage.pass(10_000);
      rog.link.restore();
      await stage.until(() => rog.volume.find(rog.at(stage.transcript(rog, cli.session))) !== open);
      stage.title(rog, cli.session, open, 'written late');
      await stage.pass(60_000);
    },
  },
};

/** Both machines write into one session before either line can have travelled, and go on afterwards. */
async function divergence(stage: Stage): Promise<void> {
  const { rog, xps } = stage;
  const cli = stage.converse(xps);
  await stage.pass(5000);
  await stage.start();
  const other = stage.resume(rog, cli.session);
  await stage.pass(2000);
  for (let i = 0; i < 3; i++) {
    cli.turn();
    other.turn();
    await stage.pass(5000);
  }
  cli.exit();
  other.exit();
}

/** What a program that died in the middle of a line left of it. */
const TORN = '{"type":"ai-title","aiTitle":"half a ti';

/** A program on `machine` dies in the middle of a line of this session. */
function tear(stage: Stage, machine: Stage['rog'], session: string): void {
  const inode = machine.volume.find(machine.at(stage.transcript(machine, session)));
  stage.ledger.remember(`session/${session}`, TORN);
  if (inode) machine.volume.append(inode, Buffer.from(TORN));
}
