import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AlertsListResult } from '../../src/protocol/alerts.ts';
import type { MetricsSeriesResult } from '../../src/protocol/metrics.ts';
import type { Traffic } from '../../src/protocol/status.ts';
import { Ground, newSession, readOrNull, until } from './ground.ts';
import type { Home } from './home.ts';
import { program } from './program.ts';
import { record } from './records.ts';

describe('what the hub tells of its health', function () {
  this.timeout(120_000);
  let ground: Ground;
  let rog: Home;
  let mac: Home;

  async function open(options: Parameters<typeof Ground.open>[0] = {}): Promise<void> {
    ground = await Ground.open(options);
    [rog, mac] = ['rog', 'mac'].map((name) => ground.home(name)) as [Home, Home];
  }

  afterEach(() => ground.close());

  async function traffic(machine: string): Promise<Traffic> {
    const { traffic: found } = await ground.report(machine);
    assert.ok(found, 'status tells the traffic');
    return found;
  }

  it('figures are what an independent count says, in status, series and metrics, also after a restart', async () => {
    await open();
    const session = newSession();
    await ground.startHub();
    await ground.settle();
    let bytes = 0;
    const lines = 40;
    const heights: number[] = [];
    for (let index = 0; index < lines; index += 1) {
      const line = record({
        session,
        home: rog,
        name: `line ${index}`,
        parent: index === 0 ? null : `line ${index - 1}`,
      });
      bytes += Buffer.byteLength(`${line}\n`);
      await rog.append(rog.sessionPath(session), line);
      const startedAt = Date.now();
      // One at a time, so that each is a sync of its own.
      await until('it is on the others', async () => {
        const sizes = await Promise.all(
          ['mac', 'xps'].map(
            async (name) => (await ground.home(name).read(ground.home(name).sessionPath(session)))?.length,
          ),
        );
        return sizes.every((size) => size === bytes);
      });
      heights.push(Date.now() - startedAt);
    }
    await ground.settle();

    const counted = async (): Promise<unknown[]> => {
      const all = await Promise.all(['rog', 'mac', 'xps'].map(traffic));
      return all.map(({ syncs, failed, successRate, conflicts, bytesSent, bytesReceived }) => ({
        ...{ syncs, failed, successRate, conflicts, bytesSent, bytesReceived },
      }));
    };
    const good = { failed: 0, successRate: 1, conflicts: 0 };
    const to = { ...good, syncs: lines, bytesSent: bytes, bytesReceived: 0 };
    const expected = [{ ...good, syncs: lines, bytesSent: 0, bytesReceived: bytes }, to, to];
    assert.deepEqual(await counted(), expected);
    const { totals, storage } = await ground.status();
    assert.deepEqual(
      [totals.syncs, totals.failed, totals.successRate, totals.bytesSent, totals.bytesReceived],
      [3 * lines, 0, 1, 2 * bytes, bytes],
    );
    assert.deepEqual([storage?.archiveBytes, storage?.archiveFiles], [bytes, 1]);

    const text = (await ground.run('metrics')).stdout;
    const value = (name: string, machine: string): number =>
      Number(new RegExp(`^${name}\\{machine="${machine}"\\} (\\S+)`, 'm').exec(text)?.[1]);
    assert.deepEqual(
      ['rog', 'mac'].map((name) => value('claude_sync_sent_bytes_total', name)),
      [0, bytes],
      text,
    );
    assert.equal(value('claude_sync_sync_latency_seconds_count', 'mac'), lines);
    // What was seen from outside, which looks every 25 ms, is never less than what the hub measured.
    const slowest = Math.max(...heights) + 25;
    assert.ok(
      value('claude_sync_sync_latency_seconds_sum', 'mac') * 1_000 <= heights.reduce((a, b) => a + b, 0) + 25 * lines,
    );
    assert.ok((await ground.report('mac')).latencyMs.p99 <= slowest);

    await ground.restartHub();
    await ground.settle();
    assert.deepEqual(await counted(), expected, 'after a restart');
    const series = await ground.json<MetricsSeriesResult>(
      'metrics',
      '--machine',
      'mac',
      '--since',
      '1h',
      '--step',
      '10s',
    );
    const sum = (of: (point: MetricsSeriesResult['points'][number]) => number): number =>
      series.points.reduce((total, point) => total + of(point), 0);
    assert.deepEqual(
      [sum((point) => point.syncs), sum((point) => point.bytesSent), sum((point) => point.latencyMs.count)],
      [lines, bytes, lines],
    );
  });

  it('an alert is raised once, told to a program of the user, kept over a restart, dismissed, and cleared by itself', async () => {
    await open({ machines: ['rog', 'mac'] });
    const told = join(ground.root, 'told.txt');
    const script = join(ground.root, 'tell.sh');
    await writeFile(script, `#!/bin/sh\nprintf '%s|' "$@" >> '${told}'; echo >> '${told}'\n`);
    await chmod(script, 0o700);
    await ground.configure({ alerts: { command: [script, '{event}', '{id}', '{message}'] } });
    await rog.write('CLAUDE.md', 'of rog; $(touch /tmp/never) `x`\n');
    await mac.write('CLAUDE.md', 'of mac\n');
    await ground.startHub();
    const active = async (): Promise<string[]> => (await ground.status()).alerts.map(({ id }) => id);
    await until('it is raised', async () => (await active()).includes('conflict/1'));
    await until('the program was run', async () => (await readOrNull(told)) !== null);
    const lines = async (): Promise<string[]> =>
      ((await readOrNull(told))?.toString() ?? '').split('\n').filter(Boolean);
    await ground.restartHub();
    await until('it stands again', async () => (await active()).includes('conflict/1'));
    const { alerts } = await ground.json<AlertsListResult>('alerts');
    const [alert] = alerts.filter(({ id }) => id === 'conflict/1');
    assert.ok(
      alert !== undefined && alert.unaffected !== '' && alert.next?.includes('conflicts show 1'),
      JSON.stringify(alert),
    );

    assert.equal((await ground.run('alerts', 'dismiss', 'conflict/1')).code, 0);
    assert.deepEqual(await active(), []);
    assert.equal((await ground.run('conflicts', 'resolve', '1', '--keep', 'rog')).code, 0);
    await until('its cause is gone', async () => {
      const all = await ground.json<AlertsListResult>('alerts', '--all');
      return all.alerts.some(({ id, clearedAt }) => id === 'conflict/1' && clearedAt !== null);
    });
    assert.equal(
      (await lines()).filter((line) => line.startsWith('raised|conflict/1|')).length,
      1,
      String(await lines()),
    );
  });

  it('no log has a secret or a word of a conversation, at the loudest level', async () => {
    const secrets = {
      conversation: 'the-owl-flies-at-midnight',
      key: `sk-ant-api03-${'Q'.repeat(93)}AA`,
      token: `ghp_${'z'.repeat(36)}`,
      credentials: 'credential-5f0c2d',
      remote: 'remote-password-77',
      environment: 'environment-secret-31',
    };
    await open({
      config: { logs: { level: 'debug' } },
      env: { GH_TOKEN: secrets.environment, ANTHROPIC_API_KEY: secrets.environment },
    });
    await writeFile(join(rog.claudeDir, '.credentials.json'), JSON.stringify({ token: secrets.credentials }), {
      mode: 0o600,
    });
    execFileSync('git', ['init', '-q', rog.project]);
    execFileSync('git', [
      '-C',
      rog.project,
      'remote',
      'add',
      'origin',
      `https://ada:${secrets.remote}@example.invalid/app.git`,
    ]);
    const session = newSession();
    await rog.append(
      rog.sessionPath(session),
      record({ session, home: rog, name: 'one', text: `${secrets.conversation} ${secrets.key} ${secrets.token}` }),
    );
    await rog.write('CLAUDE.md', `${secrets.conversation} of rog ${secrets.key}\n`);
    await mac.write('CLAUDE.md', `${secrets.conversation} of mac ${secrets.token}\n`);
    // What cannot be read, and what cannot be a record.
    await mac.appendBytes(mac.sessionPath(newSession()), `{"broken ${secrets.conversation}\n${secrets.key}\n`);
    await rog.append(
      'history.jsonl',
      JSON.stringify({ display: secrets.conversation, timestamp: 1, project: rog.project }),
    );
    await ground.startHub();
    await ground.settle();
    await ground.run('doctor');
    await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'two', text: secrets.token }));
    await ground.settle();
    await ground.endHub();
    const log = (await readFile(join(ground.dataDir, 'logs', 'hub.log'))).toString();
    for (const level of ['debug', 'info', 'error'])
      assert.match(
        log,
        new RegExp(`"level":"?${{ debug: '(20|debug)', info: '(30|info)', error: '(50|error)' }[level]}`),
        level,
      );
    assert.ok(log.includes(`session/${session}`), 'the log names what was synced');
    for (const [what, secret] of Object.entries(secrets)) assert.ok(!log.includes(secret), what);
  });

  it('logs are shown, filtered and followed, whether or not the hub runs', async () => {
    await open();
    await ground.startHub();
    await ground.settle();
    const args = [
      'logs',
      '-f',
      '--machine',
      'mac',
      '--json',
      '--config',
      ground.configFile,
      '--data-dir',
      ground.dataDir,
    ];
    const follower = spawn(process.execPath, [await program(), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    follower.stdout.on('data', (text: Buffer) => (said += text.toString()));
    const ended = new Promise((resolve) => follower.once('exit', resolve));
    await rog.write('agents/a.md', 'hello\n');
    await until('the follower tells what came to mac', () => /synced/.test(said) && said.includes('agents/a.md'));
    follower.kill('SIGINT');
    assert.equal(await ended, 0);
    for (const line of said.trim().split('\n')) {
      const { machine, machines } = JSON.parse(line) as { machine?: string; machines?: string[] };
      assert.ok(machine === 'mac' || machines?.includes('mac'), line);
    }
    await ground.endHub();
    const shown = await ground.run('logs', '-n', '1000');
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /hub started[^]*hub stopped/);
    assert.doesNotMatch((await ground.run('logs', '--level', 'error')).stdout, /hub started/);
  });
});
