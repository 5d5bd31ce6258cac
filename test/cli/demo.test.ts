import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.ts';
import { Bench, type Run } from './run.ts';

/** This process's environment, as far as it is set. */
function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

describe('claude-sync demo', function () {
  this.timeout(60_000);
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.open();
  });

  afterEach(() => bench.close());

  /** On a hub that claims that everything is in sync, but copies nothing. */
  const run = async (args: string[]): Promise<Run> => {
    const world = {
      ...bench.surroundings(),
      self: { command: process.execPath, args: [join(import.meta.dirname, 'hub-process.ts')] },
    };
    const code = await runCli(['demo', ...args], world);
    await new Promise((resolve) => setImmediate(resolve));
    return { code, stdout: world.stdout.text, stderr: world.stderr.text };
  };

  it('keeps every claim with the real hub, and leaves nothing behind', async function () {
    this.timeout(120_000);
    const { code, stdout, stderr } = await bench.run(['demo', '--json'], { env: environment() });
    assert.equal(code, 0, stderr + stdout);
    const claims = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; holds?: boolean })
      .filter(({ event }) => event === 'claim');
    assert.deepEqual(
      claims.map(({ holds }) => holds),
      [true, true, true, true, true],
    );
    assert.deepEqual(await readdir(bench.folder), []);
  });

  it('fails when a claim does not hold, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run([]);
    assert.equal(code, 1, stderr);
    assert.match(stdout, /✗ the conversation is on all three machines/);
    assert.match(stderr, /0 times on desktop/);
    assert.deepEqual(await readdir(bench.folder), []);
  });

  it('prints an event a line with --json, and leaves its folder but no hub with --keep', async () => {
    const { code, stdout } = await run(['--json', '--keep']);
    assert.equal(code, 1);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; holds?: boolean });
    assert.deepEqual(
      events.map(({ event }) => event),
      ['chapter', 'machine', 'machine', 'machine', 'first-sync', 'claim'],
    );
    assert.equal(events.at(-1)?.holds, false);
    const [kept] = await readdir(bench.folder);
    assert.ok(kept);
    const hubFolder = await readdir(join(bench.folder, kept, 'hub'));
    assert.ok(!hubFolder.includes('hub.json'), 'the hub has stopped in good order');
    const conversation = await readdir(join(bench.folder, kept, 'laptop/home/ada/.claude/projects'), {
      recursive: true,
    });
    const file = conversation.find((name) => name.endsWith('.jsonl'));
    assert.ok(file);
    const text = await readFile(join(bench.folder, kept, 'laptop/home/ada/.claude/projects', file), 'utf8');
    assert.equal(text.trimEnd().split('\n').length, 2);
  });
});
