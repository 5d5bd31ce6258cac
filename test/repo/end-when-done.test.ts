import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWhenDone } from '../../scripts/end-when-done.mjs';

/** Tells its counts and never lets its event loop turn again, as Node sometimes does at its end. */
const STUCK = `require('fs').writeFileSync(process.argv[1], '{}'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`;

describe('a suite that is done and does not end', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'claude-sync-end-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function start(script: string): ChildProcess {
    return spawn(process.execPath, ['-e', script, join(folder, 'counts.json')], { stdio: 'ignore' });
  }

  it('is ended from outside, and where its threads are is said', async () => {
    const said: string[] = [];
    const child = start(STUCK);
    const end = endWhenDone(child, join(folder, 'counts.json'), { afterMs: 50, say: (text) => said.push(text) });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    assert.deepEqual([signal, end.wasNeeded], ['SIGKILL', true]);
    if (process.platform === 'linux') assert.match(said.join('\n'), /main thread .*: S /);
  });

  it('is left alone when it ends by itself, or has not told its counts yet', async () => {
    const child = start(`setTimeout(() => {}, 1500)`);
    const end = endWhenDone(child, join(folder, 'counts.json'), {
      afterMs: 1,
      say: () => assert.fail('said something'),
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.deepEqual([code, end.wasNeeded], [0, false]);
  });
});
