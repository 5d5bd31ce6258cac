import assert from 'node:assert/strict';
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../../src/hub/config/config-error.ts';
import {
  addMachine,
  ConfigBusy,
  MachineExists,
  removeMachine,
  setPaused,
  UnknownMachine,
} from '../../../src/hub/config/edit.ts';

const TEXT = `// my machines
{
  "machines": {
    "xps": { "transport": "local" }, // always on
    "rog": {
      "transport": "ssh",
      "host": "rog" // an alias
    }
  },
  /* where things are */
  "projects": { "app": { "xps": "/srv/app", "rog": "/home/x/app" } }
}
`;

describe('editing the configuration', () => {
  let folder: string;
  let file: string;
  const target = (): { file: string; home: string; ifMissing: string } => ({
    file,
    home: '/home/ada',
    ifMissing: TEXT,
  });
  const text = (): Promise<string> => readFile(file, 'utf8');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edit-'));
    file = join(folder, 'config.jsonc');
    await writeFile(file, TEXT, { mode: 0o644 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('pausing and resuming keeps every comment and everything else', async () => {
    const paused = await setPaused(target(), 'rog', true);
    assert.equal(paused.machines['rog']?.paused, true);
    assert.equal(await text(), TEXT.replace('"rog": {', '"rog": {\n      "paused": true,'));
    await setPaused(target(), 'rog', false);
    assert.equal(await text(), TEXT);
  });

  it('a machine that is added and removed again leaves the file as it was', async () => {
    const added = await addMachine(target(), 'mac', { transport: 'ssh', host: 'mac', os: 'macos' });
    assert.equal(added.machines['mac']?.os, 'macos');
    assert.match(await text(), /\/\/ always on/);
    await removeMachine(target(), 'mac');
    assert.equal(await text(), TEXT);
  });

  it('removing a machine takes its places of projects along, so that the result is valid', async () => {
    const config = await removeMachine(target(), 'rog');
    assert.deepEqual(config.projects, { app: { xps: '/srv/app' } });
    assert.match(await text(), /where things are/);
  });

  it('the file is private afterwards, and nothing else is left behind', async () => {
    await setPaused(target(), 'rog', true);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ['config.jsonc']);
  });

  it('a link stays a link, what it points to is edited', async () => {
    const link = join(folder, 'link.jsonc');
    await symlink(file, link);
    await setPaused({ ...target(), file: link }, 'rog', true);
    assert.ok((await lstat(link)).isSymbolicLink());
    assert.match(await text(), /"paused": true/);
  });

  it('without a file the embedded default is written and edited', async () => {
    file = join(folder, 'new', 'config.jsonc');
    await setPaused(target(), 'rog', true);
    assert.match(await text(), /^\/\/ my machines[\s\S]*"paused": true/);
  });

  it('what would not be valid is not written', async () => {
    const invalid = (error: unknown): boolean => ConfigError.is(error, 'invalid');
    await assert.rejects(addMachine(target(), 'bad name', { transport: 'local', claudeDir: '/other' }), invalid);
    await assert.rejects(addMachine(target(), 'same-folder', { transport: 'local' }), invalid);
    assert.equal(await text(), TEXT);
  });

  it('unknown and taken names are refused by name', async () => {
    await assert.rejects(
      setPaused(target(), 'mac', true),
      (e) => e instanceof UnknownMachine && /there are: xps, rog/.test(e.message),
    );
    await assert.rejects(setPaused(target(), 'constructor', true), UnknownMachine);
    await assert.rejects(removeMachine(target(), 'mac'), UnknownMachine);
    await assert.rejects(addMachine(target(), 'rog', { transport: 'local' }), MachineExists);
    assert.equal(await text(), TEXT);
  });

  it('the last machine is not removed', async () => {
    await removeMachine(target(), 'rog');
    await assert.rejects(
      removeMachine(target(), 'xps'),
      (e) => ConfigError.is(e) && /at least one machine/.test(e.message),
    );
  });

  it('two edits at once: none is lost, one may have to be tried again', async () => {
    const names = ['m1', 'm2', 'm3', 'm4', 'm5'];
    const results = await Promise.allSettled(
      names.map((host) => addMachine(target(), host, { transport: 'ssh', host })),
    );
    for (const result of results)
      if (result.status === 'rejected') assert.ok(result.reason instanceof ConfigBusy, String(result.reason));
    const now = await text();
    for (const [index, result] of results.entries()) {
      assert.equal(now.includes(`"${names[index]}"`), result.status === 'fulfilled', names[index]);
    }
    assert.ok(results.some(({ status }) => status === 'fulfilled'));
  });
});
