import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { Ground } from './ground.ts';

/** Files as the real command line wrote them, where they lie beside the checkout; else the small sample of this repository. */
const SAMPLES = [
  join(import.meta.dirname, '../../../shared/data/claude-home-sample'),
  join(import.meta.dirname, '../fixtures/claude-home-sample'),
];
const SAMPLE = SAMPLES.find((folder) => existsSync(folder)) ?? '';

const MACHINES = {
  rog: { home: '/home/thh3', folder: '-home-thh3-code-app' },
  mac: { home: '/Users/tomerhamam', folder: '-Users-tomerhamam-code-app' },
  // Holds nothing at first, and has never seen the project.
  nelly: { home: '/home/nelly', folder: '-home-nelly-code-app' },
} as const;
type Name = keyof typeof MACHINES;
const NAMES = Object.keys(MACHINES) as Name[];

describe('what Claude Code really writes, between machines with different homes', function () {
  this.timeout(120_000);
  let ground: Ground;
  /** As the sample has it: machine -> file name -> bytes. */
  const sessions = new Map<string, Buffer>();
  const histories = new Map<Name, string[]>();

  before(async () => {
    const entries = Object.fromEntries(NAMES.map((name) => [name, { home: MACHINES[name].home }]));
    ground = await Ground.open({ machines: NAMES, entries });
    for (const name of NAMES) {
      const source = join(SAMPLE, name, '.claude');
      const { claudeDir } = ground.home(name);
      await mkdir(claudeDir, { recursive: true });
      if (!existsSync(source)) continue;
      await cp(source, claudeDir, { recursive: true });
      histories.set(name, linesOf(await readFile(join(source, 'history.jsonl'))));
      const folder = join(source, 'projects', MACHINES[name].folder);
      for (const file of await readdir(folder)) {
        const bytes = await readFile(join(folder, file));
        const known = sessions.get(file);
        // The same session on two machines: one continues the other.
        if (!known || known.length < bytes.length) sessions.set(file, bytes);
      }
    }
    await ground.startHub();
    await ground.settle();
  });

  after(() => ground.close());

  const transcript = (name: Name, file: string): string => `projects/${MACHINES[name].folder}/${file}`;

  it('each session lies in the project folder of each home, byte for byte, and nowhere else', async () => {
    assert.ok(sessions.size >= 4, `sample: ${SAMPLE}`);
    for (const name of NAMES) {
      const found = (await ground.home(name).files()).filter((path) => path.startsWith('projects/'));
      const wanted = [...sessions.keys()].map((file) => transcript(name, file));
      assert.deepEqual(found, wanted.sort(), `on ${name}`);
      for (const [file, bytes] of sessions) {
        assert.ok((await ground.home(name).read(transcript(name, file)))?.equals(bytes), `${file} on ${name}`);
      }
    }
  });

  it('the archive holds every session as a plain file', async () => {
    for (const [file, bytes] of sessions) {
      assert.ok((await ground.archived(`session/${file.replace('.jsonl', '')}`))?.equals(bytes), file);
    }
  });

  it('history: own lines byte for byte, those of others with the project path of this machine, none twice', async () => {
    const all = new Set([...histories.values()].flat().map(identity));
    for (const name of NAMES) {
      const lines = linesOf((await ground.home(name).read('history.jsonl')) ?? Buffer.alloc(0));
      assert.deepEqual(lines.map(identity).sort(), [...all].sort(), `on ${name}`);
      const own = histories.get(name) ?? [];
      for (const line of own) assert.ok(lines.includes(line), `${name} has its own line as it was: ${line}`);
      const foreign = lines.filter((line) => !own.includes(line));
      const projects = new Set(foreign.map((line) => (JSON.parse(line) as { project: string }).project));
      assert.deepEqual([...projects], [`${MACHINES[name].home}/code/app`], `on ${name}`);
      const times = lines.map((line) => (JSON.parse(line) as { timestamp: number }).timestamp);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
        `in order of time on ${name}`,
      );
    }
  });

  it('a document that was edited three times comes back as any of its versions, everywhere', async () => {
    const texts = ['first\n', 'second, with an é\n', 'third\n', 'fourth\n'];
    const path = 'agents/reviewer.md';
    for (const [index, text] of texts.entries()) {
      await ground.home(NAMES[index % 2] ?? 'rog').write(path, text);
      await ground.settle();
    }
    for (const text of texts.slice(0, 3)) {
      const version = (await ground.versions(path)).find((row) => row.sha256 === sha256(text));
      assert.ok(version, `kept: ${text}`);
      await ground.json('restore', path, '--version', String(version.version));
      await ground.settle();
      for (const name of NAMES) assert.equal(await ground.home(name).text(path), text, `on ${name}`);
    }
    const kept = new Set((await ground.versions(path)).map((row) => row.sha256));
    assert.ok(kept.has(sha256('fourth\n')), 'what was replaced by the restore is kept too');
  });

  it('a deleted document comes back as it was', async () => {
    const path = 'commands/deploy.md';
    await ground.home('mac').write(path, 'Deploy it.\n');
    await ground.settle();
    await ground.home('rog').remove(path);
    await ground.settle();
    for (const name of NAMES) assert.equal(await ground.home(name).text(path), null, `deleted on ${name}`);
    await ground.json('restore', path);
    await ground.settle();
    for (const name of NAMES) assert.equal(await ground.home(name).text(path), 'Deploy it.\n', `restored on ${name}`);
  });

  it('a session that was cut keeps every line at the hub, and the cut state comes back as a session of its own', async () => {
    const [file, bytes] = [...sessions].sort(([, a], [, b]) => a.length - b.length)[0] ?? ['', Buffer.alloc(0)];
    const session = file.replace('.jsonl', '');
    const lastLine = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    await truncate(ground.home('rog').file(transcript('rog', file)), lastLine);
    await ground.settle();
    assert.ok((await ground.archived(`session/${session}`))?.equals(bytes), 'the head keeps the withdrawn line');
    const cut = (await ground.versions(session)).find((row) => row.reason === 'cut');
    assert.equal(cut?.sha256, sha256(bytes.subarray(0, lastLine)));
    const { restoredAs } = await ground.json<{ restoredAs: string }>(
      'restore',
      session,
      '--version',
      String(cut?.version),
    );
    await ground.settle();
    const fresh = restoredAs.replace('session/', '');
    const wanted = bytes.subarray(0, lastLine).toString().replaceAll(session, fresh);
    for (const name of NAMES)
      assert.equal(await ground.home(name).text(transcript(name, `${fresh}.jsonl`)), wanted, `on ${name}`);
  });
});

function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function identity(line: string): string {
  const { timestamp, sessionId, display } = JSON.parse(line) as {
    timestamp: number;
    sessionId: string;
    display: string;
  };
  return JSON.stringify([timestamp, sessionId, display]);
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
