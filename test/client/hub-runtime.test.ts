import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hubRuntime, NoRuntime, type Host } from '../../src/client/hub-runtime.ts';
import { privateFolder } from '../hub/rpc/fake-hub.ts';

describe('the Node that a hub is started with', () => {
  let folder: Awaited<ReturnType<typeof privateFolder>>;

  beforeEach(async () => {
    folder = await privateFolder();
  });
  afterEach(() => folder.remove());

  /** A program called node in a PATH of its own, that says this. */
  async function installed(words: string): Promise<void> {
    const file = join(folder.path, 'node');
    await writeFile(file, `#!/bin/sh\n${words}\n`);
    await chmod(file, 0o755);
  }

  const host = (more: Partial<Host> = {}): Host => ({
    execPath: '/opt/editor/editor',
    node: '22.22.0',
    isElectron: true,
    env: { PATH: folder.path, HOME: '/home/u' },
    ...more,
  });

  it("is the user's own when it is new enough, without anything of the editor's", async () => {
    await installed('echo v24.1.0');
    const env = { ...host().env, NODE_OPTIONS: '--inspect', VSCODE_IPC_HOOK: 'x', ELECTRON_RUN_AS_NODE: '1' };
    const found = await hubRuntime(host({ env }));
    assert.deepEqual(found, { command: 'node', version: '24.1.0', env: host().env });
  });

  for (const [what, words] of [
    ['is too old', 'echo v22.21.9'],
    ['says nothing that is a version', 'echo hello'],
    ['fails', 'exit 1'],
  ] as const) {
    it(`is the editor's where the user's own ${what}`, async () => {
      await installed(words);
      const { command, env } = await hubRuntime(host());
      assert.equal(command, '/opt/editor/editor');
      assert.equal(env['ELECTRON_RUN_AS_NODE'], '1');
    });
  }

  it("is the editor's where there is no other, which is no Electron on a server", async () => {
    const { command, env } = await hubRuntime(host({ isElectron: false }));
    assert.equal(command, '/opt/editor/editor');
    assert.equal('ELECTRON_RUN_AS_NODE' in env, false);
  });

  it('is the one that the user named, or none', async () => {
    await installed('echo v24.1.0');
    const named = join(folder.path, 'node');
    assert.equal((await hubRuntime(host({ named }))).command, named);
    await installed('echo v20.0.0');
    await assert.rejects(hubRuntime(host({ named })), (error) => {
      assert.ok(error instanceof NoRuntime);
      assert.match(error.message, /\/node \(20\.0\.0\)/);
      return true;
    });
    await assert.rejects(hubRuntime(host({ named: '/nowhere/node' })), /does not run as a Node/);
  });

  it('is none where all are too old, and it says what was found and what to do', async () => {
    await installed('echo v18.0.0');
    await assert.rejects(hubRuntime(host({ node: '20.9.0' })), (error) => {
      assert.ok(error instanceof NoRuntime);
      assert.match(error.message, /node 18\.0\.0, the editor's 20\.9\.0/);
      assert.match(error.message, /22\.22/);
      assert.match(error.next ?? '', /nodejs\.org/);
      return true;
    });
  });
});
