import assert from 'node:assert/strict';
import { createLivenessProbe, linuxProcesses } from '../../../src/hub/replica/liveness.ts';
import type { ProcessTable } from '../../../src/hub/replica/liveness.ts';
import { Ground, realClock } from './ground.ts';

const NOW = 1_700_000_000_000;

describe('which sessions are live', () => {
  let ground: Ground;
  beforeEach(() => {
    ground = new Ground();
  });
  afterEach(() => ground.remove());

  const session = (pid: number, facts: object): void =>
    ground.write(`sessions/${pid}.json`, JSON.stringify({ pid, sessionId: `s${pid}`, ...facts }));
  const live = async (processes: ProcessTable | null, clockOffsetMs = 0) =>
    [
      ...(await createLivenessProbe({
        fs: ground.fs,
        clock: { ...realClock, now: () => NOW },
        processes,
      }).liveSessions(clockOffsetMs)),
    ].sort();
  const running = (starts: Record<number, string>): ProcessTable => ({
    startOf: (pid) => Promise.resolve(starts[pid] ?? null),
  });

  it('a running process that started when the file says, however old its last update', async () => {
    session(1, { procStart: '77', updatedAt: 0 });
    assert.deepEqual(await live(running({ 1: '77' })), ['s1']);
  });

  it('not one whose process is gone, or whose pid belongs to another process by now', async () => {
    session(1, { procStart: '77', updatedAt: NOW });
    session(2, { procStart: '77', updatedAt: NOW });
    assert.deepEqual(await live(running({ 2: '99' })), []);
  });

  it('where processes cannot be seen, or no start is recorded, one that was updated within 10 minutes', async () => {
    session(1, { procStart: '77', updatedAt: NOW - 599_000 });
    session(2, { procStart: '77', updatedAt: NOW - 601_000 });
    session(3, { updatedAt: new Date(NOW - 1_000).toISOString() });
    assert.deepEqual(await live(null), ['s1', 's3']);
    assert.deepEqual(await live(running({ 3: '5' })), ['s3']);
  });

  it('by the clock of the machine, which may be another than the one of the hub', async () => {
    session(1, { updatedAt: NOW + 3_600_000 - 599_000 });
    session(2, { updatedAt: NOW + 3_600_000 - 601_000 });
    assert.deepEqual(await live(null, 3_600_000), ['s1']);
  });

  it('one whose file is just being written; garbage and other files say nothing', async () => {
    ground.write('sessions/1.json', '{"pid":1,"sessionId":"s1","upda');
    ground.write('sessions/2.json', 'null');
    ground.write('sessions/3.json', '');
    ground.write('sessions/notes.txt', '{"sessionId":"x"}');
    assert.deepEqual(await live(null), ['s1']);
  });

  it('none where no session ever ran', async () => assert.deepEqual(await live(null), []));

  it('asks the kernel for the start time of a process', async function () {
    if (process.platform !== 'linux') return this.skip();
    const processes = linuxProcesses();
    assert.match((await processes.startOf(process.pid)) ?? '', /^\d+$/);
    assert.equal(await processes.startOf(2 ** 30), null);
  });

  it('takes a command name with spaces and parentheses for what it is', async () => {
    const fields = ['S', ...Array.from({ length: 18 }, (_, i) => String(i)), '4242', '0'].join(' ');
    ground.write('proc/7/stat', `7 (a) b (c) ${fields}\n`);
    assert.equal(await linuxProcesses(ground.at('proc')).startOf(7), '4242');
  });
});
