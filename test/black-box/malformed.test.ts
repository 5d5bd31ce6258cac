import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { Ground, newSession, until } from './ground.ts';
import { Home } from './home.ts';
import { prompt, record } from './records.ts';

const MIB = 1024 * 1024;

describe('damaged and strange files', function () {
  this.timeout(120_000);
  let ground: Ground;
  let rog: Home;
  let others: Home[];

  before(async () => {
    ground = await Ground.open();
    rog = ground.home('rog');
    others = [ground.home('mac'), ground.home('xps')];
    await ground.startHub();
  });

  after(() => ground.close());

  const session = newSession();
  const line = (name: string): string =>
    `${record({ session, home: new Home('/home/ada'), name, at: 1_795_390_000_000 })}\n`;

  /** Damage as it was found in real trees, each between sound lines. */
  const DAMAGE: Readonly<Record<string, Buffer>> = {
    'two records spliced into one line': Buffer.from(line('a').trimEnd().slice(0, 100) + line('b')),
    'a missing newline between records': Buffer.from(line('a').trimEnd() + line('b')),
    'a run of NUL bytes as a line': Buffer.concat([Buffer.alloc(4096), Buffer.from('\n')]),
    'NUL bytes before a record': Buffer.concat([Buffer.alloc(100), Buffer.from(line('a'))]),
    'CRLF line ends': Buffer.from(line('a').replace('\n', '\r\n') + line('b').replace('\n', '\r\n')),
    'a BOM at the start of the file': Buffer.from(`\uFEFF${line('a')}`),
    'lone surrogates as escapes': Buffer.from('{"type":"user","uuid":"u","message":{"content":"\\ud83d \\udc00"}}\n'),
    'a lone surrogate in raw bytes': Buffer.concat([
      Buffer.from('{"x":"'),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from('"}\n'),
    ]),
    'bytes that are not UTF-8': Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28, 0x0a]),
    'binary garbage with newlines in it': Buffer.from(
      Array.from({ length: 60_000 }, (_, index) => (index * 7919 + (index >> 3)) % 256),
    ),
    'empty lines': Buffer.from(`\n\n${line('a')}\n\n`),
    'the same line many times': Buffer.from(line('a').repeat(50)),
    'unknown record types': Buffer.from('{"type":"from-the-future","sessionId":7}\n[1,2]\n"text"\nnull\n'),
    'lines of another session': Buffer.from(line('a').replaceAll(session, newSession())),
    'a line of 10 MB': Buffer.concat([
      Buffer.from('{"type":"user","uuid":"big","x":"'),
      Buffer.alloc(10_000_000, 'x'),
      Buffer.from('"}\n'),
    ]),
  };

  for (const [name, damage] of Object.entries(DAMAGE)) {
    it(`${name}: carried byte for byte, at once and in what is added behind it`, async () => {
      const id = newSession();
      const path = rog.sessionPath(id);
      const start = name.includes('start of the file') ? damage : Buffer.concat([Buffer.from(line('before')), damage]);
      // Garbage may end without a newline: the next writer closes such a line first, as Claude Code does.
      const whole = start.at(-1) === 0x0a ? start : Buffer.concat([start, Buffer.from('\n')]);
      await rog.appendBytes(path, whole);
      await ground.settle();
      await rog.appendBytes(path, line('after'));
      await rog.appendBytes(path, damage.at(-1) === 0x0a ? damage : Buffer.concat([damage, Buffer.from('\n')]));
      await ground.settle();
      const bytes = await rog.read(path);
      assert.ok(bytes && bytes.length > whole.length);
      for (const home of others) assert.ok((await copyOf(home, id))?.equals(bytes), home.path);
      assert.ok((await ground.archived(`session/${id}`))?.equals(bytes));
    });
  }

  it('a torn last line waits on its machine, and is carried when it is whole', async () => {
    const id = newSession();
    const path = rog.sessionPath(id);
    await rog.appendBytes(path, line('one') + line('two').slice(0, 50));
    await ground.settle();
    for (const home of others) assert.equal(await textOf(home, id), line('one'));
    await rog.appendBytes(path, line('two').slice(50));
    await ground.settle();
    for (const home of others) assert.equal(await textOf(home, id), await rog.text(path));
  });

  it('a file that is only a torn line, and an empty one, stop nothing and become files of all when they grow', async () => {
    const [torn, empty] = [newSession(), newSession()];
    await rog.appendBytes(rog.sessionPath(torn), '{"type":"us');
    await rog.appendBytes(rog.sessionPath(empty), '');
    await ground.settle();
    for (const home of others) for (const id of [torn, empty]) assert.equal(await textOf(home, id), null);
    await rog.appendBytes(rog.sessionPath(torn), 'er"}\n');
    await rog.appendBytes(rog.sessionPath(empty), line('first'));
    await ground.settle();
    for (const home of others) {
      assert.equal(await textOf(home, torn), '{"type":"user"}\n');
      assert.equal(await textOf(home, empty), line('first'));
    }
  });

  it('a torn line on the machine that receives is closed, and what comes stands behind it', async () => {
    const id = newSession();
    await rog.appendBytes(rog.sessionPath(id), line('one'));
    await ground.settle();
    const [mac] = others;
    assert.ok(mac);
    await mac.appendBytes(await pathOf(mac, id), '{"type":"torn by a crash');
    await rog.appendBytes(rog.sessionPath(id), line('two'));
    await ground.settle();
    for (const home of [rog, ...others]) {
      const text = (await textOf(home, id)) ?? '';
      for (const part of [line('one'), line('two'), '{"type":"torn by a crash\n'])
        assert.ok(text.includes(part), `${part} in ${text}`);
    }
  });

  it('a line over the limit of 64 MiB is carried byte for byte, and nothing else waits for it', async () => {
    const [big, small] = [newSession(), newSession()];
    const path = rog.sessionPath(big);
    await rog.appendBytes(path, line('before'));
    await rog.appendBytes(path, Buffer.alloc(70 * MIB, 'y'));
    await rog.appendBytes(path, `\n${line('after')}`);
    await rog.appendBytes(rog.sessionPath(small), line('small'));
    await until(
      'the small session is there',
      async () => (await textOf(ground.home('mac'), small)) === line('small'),
      30_000,
    );
    await ground.settle(90);
    const wanted = await hashOf(rog.file(path));
    for (const home of others) assert.equal(await hashOf(home.file(await pathOf(home, big))), wanted);
    await rog.appendBytes(path, line('later'));
    await ground.settle(90);
    const later = await hashOf(rog.file(path));
    for (const home of others) assert.equal(await hashOf(home.file(await pathOf(home, big))), later);
  });

  it('a file that shrinks to nothing keeps its lines in the archive and on the others', async () => {
    const id = newSession();
    await rog.appendBytes(rog.sessionPath(id), line('one') + line('two'));
    await ground.settle();
    await truncate(rog.file(rog.sessionPath(id)), 0);
    await ground.settle();
    for (const home of others) assert.equal(await textOf(home, id), line('one') + line('two'));
    assert.equal((await ground.archived(`session/${id}`))?.toString(), line('one') + line('two'));
  });

  it('strange prompts in the history are carried, and those that can be read still go to all', async () => {
    const good = prompt(rog, newSession(), 'a good one', Date.now());
    await rog.appendBytes('history.jsonl', `not json\n\n{"display":7}\n${good}\n`);
    await rog.appendBytes('history.jsonl', Buffer.from([0xff, 0x00, 0x0a]));
    await ground.settle();
    for (const home of others) {
      const bytes = (await home.read('history.jsonl')) ?? Buffer.alloc(0);
      assert.ok(bytes.includes('a good one'));
      assert.ok(bytes.includes('not json\n'));
      assert.ok(bytes.includes(Buffer.from([0xff, 0x00, 0x0a])));
    }
  });

  it('documents that are no text are carried byte for byte', async () => {
    const documents: Readonly<Record<string, Buffer>> = {
      'agents/empty.md': Buffer.alloc(0),
      'agents/bom.md': Buffer.from('\uFEFF# Title\r\n'),
      'agents/zeros.md': Buffer.alloc(10_000),
      'skills/x/picture.bin': Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 31) % 256)),
    };
    for (const [path, bytes] of Object.entries(documents)) await rog.write(path, bytes);
    await ground.settle();
    for (const [path, bytes] of Object.entries(documents)) {
      for (const home of others) assert.ok((await home.read(path))?.equals(bytes), path);
    }
  });
});

/** Where a machine has the session: damage may take its project's path away, and then it lies where its first record says. */
async function pathOf(home: Home, session: string): Promise<string> {
  const found = (await home.files()).filter((path) => path.endsWith(`${session}.jsonl`));
  assert.ok(found.length <= 1, `one copy: ${found.join(', ')}`);
  return found[0] ?? home.sessionPath(session);
}

async function copyOf(home: Home, session: string): Promise<Buffer | null> {
  return home.read(await pathOf(home, session));
}

async function textOf(home: Home, session: string): Promise<string | null> {
  return (await copyOf(home, session))?.toString('utf8') ?? null;
}

function hashOf(file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    createReadStream(file)
      .on('data', (chunk) => hash.update(chunk))
      .on('end', () => resolve(hash.digest('hex')))
      .on('error', reject);
  });
}
