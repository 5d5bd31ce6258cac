import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { followLog, type FollowOptions } from '../../../src/hub/log/follow-log.ts';
import { openLog } from '../../../src/hub/log/open-log.ts';
import { readLog } from '../../../src/hub/log/read-log.ts';

const line = (number: number, more: object = {}): string =>
  `${JSON.stringify({ level: 30, time: 1_000 + number, number, ...more, msg: 'line' })}\n`;

describe('following the log of the hub', () => {
  let folder: string;
  let file: string;
  let ended: AbortController;
  /** Numbers of the lines that came. */
  let came: number[];
  let following: Promise<void>[];

  const follow = (options: Partial<FollowOptions> = {}): void => {
    const read = async (): Promise<void> => {
      for await (const { fields } of followLog(file, { signal: ended.signal, pollMs: 50, ...options }))
        came.push(fields['number'] as number);
    };
    following.push(read());
  };
  /** Ends in failure by the time limit of the test. */
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await setImmediate();
  };
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'follow-log-'));
    mkdirSync(join(folder, 'logs'));
    file = join(folder, 'logs', 'hub.log');
    ended = new AbortController();
    came = [];
    following = [];
  });
  afterEach(async () => {
    ended.abort();
    await Promise.all(following);
    rmSync(folder, { recursive: true });
  });

  it('yields what is added, when the line is whole', async () => {
    writeFileSync(file, line(0));
    follow();
    await until(() => came.length === 1);
    appendFileSync(file, line(1) + line(2).slice(0, 20));
    await until(() => came.length === 2);
    appendFileSync(file, line(2).slice(20));
    await until(() => came.length === 3);
    assert.deepEqual(came, upTo(3));
  });

  it('goes on where reading ended', async () => {
    writeFileSync(`${file}.1`, line(0));
    writeFileSync(file, line(1));
    const { position } = await readLog(file, 1);
    // The reader was not there when it was written and put aside.
    appendFileSync(file, line(2));
    renameSync(file, `${file}.2`);
    writeFileSync(file, line(3));
    follow({ position });
    await until(() => came.includes(3));
    assert.deepEqual(came, [2, 3]);
  });

  it('waits for a file, and for a folder, that are not there yet', async () => {
    rmSync(join(folder, 'logs'), { recursive: true });
    follow();
    await setImmediate();
    mkdirSync(join(folder, 'logs'));
    writeFileSync(file, line(0));
    await until(() => came.length === 1);
    rmSync(join(folder, 'logs'), { recursive: true });
    mkdirSync(join(folder, 'logs'));
    writeFileSync(file, line(1));
    await until(() => came.length === 2);
    assert.deepEqual(came, upTo(2));
  });

  it('misses no line and doubles none while the file is written and put aside', async () => {
    const troubles: string[] = [];
    const log = openLog({ file, maxBytes: 4_000, keep: 20, onTrouble: (reason) => troubles.push(reason) });
    follow();
    // Some 50 lines to a file; the reader gets a turn at each few, at another place each time.
    for (let number = 0; number < 3_000; number += 1) {
      log.logger.info({ number }, 'line');
      if (number % 7 === 0) await setImmediate();
      // Nobody can read what was removed: the writer waits before that.
      if (number % 300 === 0) await until(() => came.length >= number - 300);
    }
    log.close();
    await until(() => came.length >= 3_000);
    assert.deepEqual(came, upTo(3_000));
    assert.deepEqual(troubles, []);
  });

  it('is not confused by somebody who puts the file aside elsewhere', async () => {
    writeFileSync(`${file}.1`, line(0));
    writeFileSync(file, line(1));
    follow();
    await until(() => came.length === 2);
    renameSync(file, join(folder, 'aside'));
    writeFileSync(file, line(2));
    await until(() => came.length === 3);
    assert.deepEqual(came, upTo(3));
  });

  it('yields only what is asked for', async () => {
    writeFileSync(
      file,
      line(0, { machine: 'mac' }) + line(1, { machine: 'rog' }) + line(2, { level: 20, machine: 'rog' }),
    );
    follow({ filter: { machine: 'rog', level: 'info' } });
    await until(() => came.length === 1);
    appendFileSync(file, line(3) + line(4, { level: 50, machine: 'rog' }));
    await until(() => came.length === 2);
    assert.deepEqual(came, [1, 4]);
  });

  it('ends when it is told to, in the middle of lines and while it waits', async () => {
    writeFileSync(file, line(0) + line(1) + line(2));
    const read: unknown[] = [];
    for await (const { fields } of followLog(file, { signal: ended.signal })) {
      read.push(fields['number']);
      ended.abort();
    }
    assert.deepEqual(read, [0]);
    ended = new AbortController();
    // The poll is far away: only the signal can end it.
    follow({ pollMs: 1_000_000 });
    await until(() => came.length === 3);
    ended.abort();
    await Promise.all(following);
  });
});
