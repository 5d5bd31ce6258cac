import { performance } from 'node:perf_hooks';
import type { TestStep } from '../../protocol/probe.ts';
import type { SshMachineConfig } from '../config/schema.ts';
import type { Clock, Random } from '../ports/clock.ts';
import { FileSystemError, type FileSystem } from '../ports/file-system.ts';
import { createNodeFileSystem } from '../replica/node-file-system.ts';
import { readBytes } from '../replica/read-bytes.ts';
import type { EstablishedConnection } from '../ssh/established.ts';
import { serverName, SshFailure } from '../ssh/failures.ts';
import { rsyncVersion } from '../ssh/rsync.ts';
import { closeSession, openSession, type SshSession } from '../ssh/session.ts';
import { CLOCK_OFF_MS } from '../../core/alerts/clock-off.ts';
import { clockFix, lackedExtensions, rsyncAdvice, watcherAdvice } from './advice.ts';
import { filesOf, folderState, remoteClockOffset } from './remote-facts.ts';
import { withScratchFile } from './scratch-file.ts';

/** What a machine over SSH is tested with. */
export interface TestMachineOptions {
  readonly config: SshMachineConfig;
  /** Home of the hub's user. */
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is sent and fetched to tell how fast the line is. */
const THROUGHPUT_BYTES = 1_000_000;
const ROUND_TRIPS = 7;

/** Step that a failure of a connection belongs to. */
const STEP_OF: Readonly<Record<SshFailure['code'], string>> = {
  settings: 'resolve',
  unreachable: 'connect',
  'host-key-unknown': 'host-key',
  'host-key-changed': 'host-key',
  'host-key-revoked': 'host-key',
  'no-key': 'sign-in',
  'key-needs-passphrase': 'sign-in',
  'key-refused': 'sign-in',
  'no-sftp': 'sftp',
  'no-exec': 'shell',
  lost: 'connection',
};

/** Makes a new connection and tries everything that syncing needs. Never rejects for what it finds: that is a step that failed. */
export async function testMachine(options: TestMachineOptions): Promise<TestStep[]> {
  const steps = new Steps();
  let session: SshSession | null = null;
  let lost: Error | null = null;
  try {
    session = await openSession({
      ...options,
      onLost: (reason) => (lost ??= reason),
      onStep: (done) => {
        if (done === 'connect') steps.add(done, 'ok', 'an SSH server answers and lets us in');
        else if (done !== 'shell') steps.add(done, 'ok', DONE[done]);
      },
    });
    const { settings, connection } = session;
    const { hostKey, cipher } = connection as EstablishedConnection;
    steps.replace('resolve', serverName(settings));
    steps.add('host-key', 'ok', `${hostKey} is the one that is known`, { timed: false });
    steps.add('sign-in', 'ok', `as ${settings.user}, encrypted with ${cipher}`, { timed: false });
    await tryOut(steps, session, options);
  } catch (error) {
    const failure = lost ?? error;
    if (failure instanceof SshFailure) {
      const step = STEP_OF[failure.code];
      if (step === 'host-key' || step === 'sign-in') steps.add('connect', 'ok', 'an SSH server answers');
      if (step === 'sign-in') steps.add('host-key', 'ok', 'it is the one that is known', { timed: false });
      steps.add(step, 'failed', failure.reason, { fix: failure.next });
    } else if (FileSystemError.is(failure)) {
      steps.add('connection', 'failed', failure.message, { fix: 'Try again; the connection ended on the way.' });
    } else throw error;
  } finally {
    if (session !== null) closeSession(session);
  }
  return steps.all;
}

/** The same for a folder of the hub's own computer. */
export async function testFolder(claudeDir: string, random: Random): Promise<TestStep[]> {
  const steps = new Steps();
  await tryFolder(steps, createNodeFileSystem('/'), createNodeFileSystem(claudeDir), claudeDir, random);
  return steps.all;
}

const DONE = { resolve: 'the settings are complete', sftp: 'files can be transferred' } as const;

async function tryOut(steps: Steps, session: SshSession, { config, clock, random }: TestMachineOptions): Promise<void> {
  const { facts, probe, channel } = session;
  const lacks = lackedExtensions(channel);
  for (const { extension, means } of lacks)
    steps.add('sftp-extension', 'warning', `its SFTP server lacks ${extension}: ${means}`, {
      timed: false,
      fix: 'A newer SSH server there has it; syncing works all the same.',
    });
  if (probe === null)
    steps.add(
      'shell',
      facts.os === 'windows' ? 'ok' : 'warning',
      'no shell: files are transferred and folders polled over SFTP alone',
      {
        fix:
          facts.os === 'windows'
            ? null
            : 'Allow commands for this account (ForceCommand, login shell) to have changes noticed at once.',
      },
    );
  else steps.add('shell', 'ok', `${facts.os}, ${probe.architecture}`);
  const watcher = watcherAdvice(facts.os, probe, config.watch);
  steps.add('watcher', watcher.fix === null ? 'ok' : 'warning', `changes are noticed by ${watcher.kind}`, {
    timed: false,
    fix: watcher.fix,
  });
  const rsync = rsyncAdvice(facts.os, probe, config.rsync === 'never' ? null : await rsyncVersion());
  if (config.rsync === 'never') steps.add('rsync', 'skipped', 'not to be used (rsync: never)', { timed: false });
  else
    steps.add(
      'rsync',
      rsync.fix === null ? 'ok' : 'warning',
      `there: ${rsync.there ?? 'none'}; here: ${rsync.here ?? 'none'}; without it everything goes over SFTP`,
      { fix: rsync.fix },
    );
  const outside = filesOf(session, '/');
  const own = filesOf(session, facts.claudeDir);
  if (probe !== null) {
    const offset = await remoteClockOffset(session.commands, clock);
    if (offset !== null)
      steps.add('clock', Math.abs(offset) > CLOCK_OFF_MS ? 'warning' : 'ok', `${offset} ms off the hub's clock`, {
        fix: Math.abs(offset) > CLOCK_OFF_MS ? clockFix(facts.os) : null,
      });
  }
  const times: number[] = [];
  for (let round = 0; round < ROUND_TRIPS; round += 1) {
    const begun = performance.now();
    await outside.lstat('');
    times.push(performance.now() - begun);
  }
  const median = times.sort((one, other) => one - other)[Math.floor(ROUND_TRIPS / 2)] ?? 0;
  steps.add('round-trip', 'ok', `${median.toFixed(1)} ms for a question and its answer`);
  await tryFolder(steps, outside, own, facts.claudeDir, random);
}

async function tryFolder(
  steps: Steps,
  outside: FileSystem,
  own: FileSystem,
  claudeDir: string,
  random: Random,
): Promise<void> {
  const state = await folderState(outside, claudeDir);
  if (state !== 'present') {
    steps.add('folder', 'failed', `${claudeDir} is ${STATES[state]}`, { fix: FOLDER_FIX[state] });
    return;
  }
  steps.add('folder', 'ok', `${claudeDir} can be read`);
  try {
    const content = Buffer.alloc(THROUGHPUT_BYTES);
    const up = performance.now();
    let down = up;
    let received = 0;
    await withScratchFile(own, random, content, async (path) => {
      down = performance.now();
      for await (const chunk of readBytes(own, path, 0, content.length)) received += chunk.length;
      const end = performance.now();
      const rate = (ms: number): string => `${(THROUGHPUT_BYTES / 1000 / Math.max(ms, 0.001)).toFixed(1)} MB/s`;
      steps.add('write', 'ok', `it can be written: 1 MB up with ${rate(down - up)}, down with ${rate(end - down)}`);
    });
    if (received !== content.length)
      steps.add('read-back', 'failed', `of ${content.length} bytes that were written ${received} came back`, {
        fix: 'Check the disk there.',
      });
  } catch (error) {
    if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
    const why = WRITE_FAILURES[error.code];
    steps.add('write', 'failed', `${claudeDir} cannot be written: ${why?.[0] ?? error.message}`, {
      fix: why?.[1] ?? `Check the folder ${claudeDir} there.`,
    });
  }
}

const STATES = { missing: 'missing', 'not-a-folder': 'no folder', unreadable: 'there, and cannot be read' } as const;
const FOLDER_FIX = {
  missing:
    'Start Claude Code there once, or make the folder (mkdir -m 700), or correct claudeDir in the configuration.',
  'not-a-folder': 'Correct claudeDir in the configuration.',
  unreadable: 'Give this user the right to read it: chmod u+rwx.',
} as const;

const WRITE_FAILURES: Readonly<Record<string, readonly [why: string, fix: string] | undefined>> = {
  denied: ['this user may not', 'Give this user the right to write there: chmod u+rwx, chown.'],
  'no-space': ['its disk is full', 'Make room there.'],
};

/** Steps with the time since the one before. */
class Steps {
  readonly all: TestStep[] = [];
  #since = performance.now();

  /** @param more `timed: false`: it was found out on the way. */
  add(
    step: string,
    outcome: TestStep['outcome'],
    message: string,
    more: { readonly fix?: string | null; readonly timed?: boolean } = {},
  ): void {
    const now = performance.now();
    const ms = more.timed === false ? null : Math.round((now - this.#since) * 10) / 10;
    if (more.timed !== false) this.#since = now;
    this.all.push({ step, outcome, ms, message, fix: more.fix ?? null });
  }

  /** Says more of a step that was added. */
  replace(step: string, message: string): void {
    const index = this.all.findIndex((one) => one.step === step);
    const before = this.all[index];
    if (before !== undefined) this.all[index] = { ...before, message };
  }
}
