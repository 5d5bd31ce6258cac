import assert from 'node:assert/strict';
import type { AlertRecord } from '../../src/protocol/alerts.ts';
import { HubError } from '../../src/protocol/errors.ts';
import { Bench } from './run.ts';

/** The clock of the bench. */
const NOW = 1_700_000_005_000;
// eslint-disable-next-line no-control-regex -- the characters that must not be there
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;
const HOSTILE = 'evil\u001b[31m red\u001b]0;owned\u0007\u009b2J\u202egnp.exe\u2066\nfake line\r\u2028x';

function alert(more: Partial<AlertRecord> = {}): AlertRecord {
  return {
    id: 'offline/rog',
    severity: 'warning',
    message: 'rog has been out of reach for more than 5 minutes: no route',
    unaffected: 'The other machines go on syncing.',
    next: 'claude-sync doctor',
    machine: 'rog',
    key: null,
    at: NOW - 3 * 60_000,
    clearedAt: null,
    dismissedAt: null,
    ...more,
  };
}

describe('alerts on the command line', () => {
  let bench: Bench;
  let asked: [string, object][];

  beforeEach(async () => {
    asked = [];
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  async function hub(...alerts: AlertRecord[]): Promise<void> {
    await bench.hub({
      'alerts/list': async (params) => {
        asked.push(['list', params]);
        return { alerts };
      },
      'alerts/dismiss': async (params) => {
        asked.push(['dismiss', params]);
        const found = alerts.find(({ id }) => id === params.id);
        if (found === undefined)
          throw new HubError('not-found', `There is no alert ${params.id}.`, { next: 'claude-sync alerts --all' });
        return { alert: { ...found, dismissedAt: NOW } };
      },
    });
  }

  it('what happened, what is unaffected and what to do are shown', async () => {
    await hub(alert());
    for (const args of [['alerts'], ['alerts', 'list']]) {
      const { code, stdout, stderr } = await bench.run(args);
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal(
        stdout,
        [
          'warning: offline/rog  raised 3 min ago',
          '  rog has been out of reach for more than 5 minutes: no route',
          '  The other machines go on syncing.',
          '  Next: claude-sync doctor',
          '',
        ].join('\n'),
      );
    }
    assert.deepEqual(asked, [
      ['list', {}],
      ['list', {}],
    ]);
  });

  it('says so when there are none', async () => {
    await hub();
    assert.equal((await bench.run(['alerts'])).stdout, 'no alerts\n');
  });

  it('--all asks for all: what lasts comes first, then what was dismissed, then what is over', async () => {
    await hub(
      alert({ id: 'over', severity: 'error', clearedAt: NOW - 60_000, next: 'of the past' }),
      alert({ id: 'seen', severity: 'error', dismissedAt: NOW - 120_000, next: null }),
      alert({ id: 'now', severity: 'info', unaffected: '' }),
    );
    const { stdout } = await bench.run(['alerts', '--all']);
    assert.deepEqual(asked, [['list', { all: true }]]);
    assert.deepEqual(stdout.match(/^\w+: .*$/gm), [
      'info: now  raised 3 min ago',
      'error: seen  raised 3 min ago, dismissed 2 min ago',
      'error: over  raised 3 min ago, over 1 min ago',
    ]);
    assert.doesNotMatch(stdout, /of the past/);
    assert.deepEqual((await bench.run(['alerts', 'list', '--all'])).stdout, stdout);
  });

  it('--json is the answer of the hub', async () => {
    const alerts = [alert({ message: HOSTILE }), alert({ id: 'x' })];
    await hub(...alerts);
    const { code, stdout, stderr } = await bench.run(['alerts', '--json']);
    assert.deepEqual([code, stderr, JSON.parse(stdout)], [0, '', { alerts }]);
  });

  it('dismiss names one', async () => {
    await hub(alert());
    const { code, stdout } = await bench.run(['alerts', 'dismiss', 'offline/rog']);
    assert.deepEqual([code, stdout], [0, 'dismissed: offline/rog\n']);
    assert.deepEqual(asked, [['dismiss', { id: 'offline/rog' }]]);
    const { stdout: json } = await bench.run(['alerts', 'dismiss', 'offline/rog', '--json']);
    assert.deepEqual(JSON.parse(json), { alert: alert({ dismissedAt: NOW }) });
  });

  it('1 for one that is not there, with what to do', async () => {
    await hub(alert());
    const { code, stdout, stderr } = await bench.run(['alerts', 'dismiss', 'nothing']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /There is no alert nothing[^]*claude-sync alerts --all/);
  });

  it('nothing that machines say reaches the terminal as a control character or fakes a line', async () => {
    const words = { id: HOSTILE, message: HOSTILE, unaffected: HOSTILE, next: HOSTILE, machine: HOSTILE };
    await hub(alert(words));
    for (const args of [['alerts'], ['alerts', '--all'], ['alerts', '--json'], ['alerts', 'dismiss', HOSTILE]]) {
      const { stdout, stderr } = await bench.run(args);
      assert.notEqual(stdout, '');
      assert.doesNotMatch(stdout + stderr, CONTROLS, args.join(' '));
      assert.doesNotMatch(stdout, /^fake line/m);
    }
  });

  it('has colour on a terminal only', async () => {
    await hub(alert());
    assert.ok((await bench.run(['alerts'], { tty: true })).stdout.includes('\u001b[33mwarning: offline/rog'));
    assert.ok(!(await bench.run(['alerts'])).stdout.includes('\u001b'));
  });

  for (const args of [
    ['alerts', 'offline/rog'],
    ['alerts', 'dismiss'],
    ['alerts', 'dismiss', 'a', 'b'],
    ['alerts', 'list', '--any'],
  ]) {
    it(`2 for wrong usage: claude-sync ${args.join(' ')}`, async () => {
      await hub(alert());
      const { code, stdout, stderr } = await bench.run(args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.notEqual(stderr, '');
      assert.deepEqual(asked, []);
    });
  }

  it('3 when no hub runs', async () => {
    for (const args of [['alerts'], ['alerts', 'dismiss', 'x']]) assert.equal((await bench.run(args)).code, 3);
  });
});
