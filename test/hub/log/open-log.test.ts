import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog, type HubLog, type LogSettings } from '../../../src/hub/log/open-log.ts';

describe('the log of the hub', () => {
  let folder: string;
  let file: string;
  let log: HubLog;
  let troubles: string[];
  const open = (over: Partial<LogSettings> = {}): HubLog => {
    log = openLog({ file, onTrouble: (reason) => troubles.push(reason), ...over });
    return log;
  };
  const lines = (name = file): any[] =>
    readFileSync(name, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-'));
    file = join(folder, 'logs', 'hub.log');
    troubles = [];
  });
  afterEach(() => {
    log.close();
    rmSync(folder, { recursive: true });
  });

  it('is one JSON object per line, private, and goes on after a restart', () => {
    open().logger.info({ key: 'agents/a.md', bytes: 12 }, 'put');
    log.close();
    open().logger.warn('again');
    assert.deepEqual(
      lines().map(({ key, bytes, msg }) => ({ key, bytes, msg })),
      [
        { key: 'agents/a.md', bytes: 12, msg: 'put' },
        { key: undefined, bytes: undefined, msg: 'again' },
      ],
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, 'logs')).mode & 0o777, 0o700);
  });

  it('holds no contents: long texts are cut, bytes become their number, also in errors', () => {
    const secret = `${'x'.repeat(600)}SECRET`;
    open().logger.info({ line: secret, chunk: Buffer.from('SECRET'), err: new Error(secret) }, 'oops');
    assert.doesNotMatch(readFileSync(file, 'utf8'), /SECRET/);
    assert.equal(lines()[0].chunk, '<6 bytes>');
    assert.match(lines()[0].err.message, /\(606 characters\)/);
  });

  it('never grows beyond its size, and keeps the newest files', () => {
    const { logger } = open({ maxBytes: 1000, keep: 2 });
    for (let number = 0; number < 100; number += 1) logger.info({ number }, 'line');
    assert.deepEqual(readdirSync(join(folder, 'logs')).sort(), ['hub.log', 'hub.log.1', 'hub.log.2']);
    const kept = ['.2', '.1', ''].flatMap((end) => lines(file + end).map(({ number }) => number as number));
    assert.deepEqual(
      kept,
      Array.from({ length: kept.length }, (_, index) => 100 - kept.length + index),
    );
    for (const end of ['', '.1', '.2']) assert.ok(statSync(file + end).size <= 1000);
  });

  it('that cannot be written is told once and does not stop anything; it goes on when it can', () => {
    mkdirSync(file, { recursive: true });
    const { logger } = open();
    logger.info('lost');
    logger.info('lost too');
    assert.equal(troubles.length, 1);
    assert.match(troubles[0] ?? '', /hub\.log cannot be written/);
    rmdirSync(file);
    logger.info('back');
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['back'],
    );
  });

  describe('has no secrets', () => {
    // Put together here, so that no scanner takes this file for a leak.
    const TOKEN = ['ghp', 'aB3dE6gH1jK9mN2pQ5sT8vW4yZ7bC0dF6hJ1'].join('_');
    const written = (): string =>
      readdirSync(join(folder, 'logs'))
        .map((name) => readFileSync(join(folder, 'logs', name), 'utf8'))
        .join('');
    const planted: Record<string, (log: HubLog) => void> = {
      'the message': ({ logger }) => logger.info(`with ${TOKEN}`),
      'a message that is put together': ({ logger }) => logger.info('with %s and %o', TOKEN, { TOKEN }),
      'a field': ({ logger }) => logger.info({ reason: `with ${TOKEN}` }, 'x'),
      'the name of a field': ({ logger }) => logger.info({ [TOKEN]: 1 }, 'x'),
      'an object': ({ logger }) => logger.info({ machine: { reason: TOKEN, list: [TOKEN] } }, 'x'),
      'an object deep down': ({ logger }) => logger.info({ a: { b: { c: { d: { e: TOKEN } } } } }, 'x'),
      'a list': ({ logger }) => logger.info({ list: [TOKEN, { TOKEN }, [TOKEN]] }, 'x'),
      'a map': ({ logger }) => logger.info({ map: new Map([[TOKEN, TOKEN]]) }, 'x'),
      'an object that makes its own JSON': ({ logger }) => logger.info({ own: { toJSON: () => TOKEN } }, 'x'),
      'an address': ({ logger }) => logger.info({ url: new URL(`https://me:${TOKEN}@example.com`) }, 'x'),
      'an error': ({ logger }) => logger.error({ err: new Error(TOKEN) }, 'x'),
      'an error without a message beside it': ({ logger }) => logger.error(new Error(TOKEN)),
      'an error under another name': ({ logger }) => logger.error({ error: new Error(TOKEN) }, 'x'),
      "an error's cause": ({ logger }) => logger.error({ err: new Error('x', { cause: new Error(TOKEN) }) }, 'x'),
      'the cause of a cause': ({ logger }) =>
        logger.error({ err: new Error('x', { cause: new Error('y', { cause: TOKEN }) }) }, 'x'),
      "an error's own fields": ({ logger }) =>
        logger.error({ err: Object.assign(new Error('x'), { command: TOKEN, code: TOKEN, name: TOKEN }) }, 'x'),
      'an error of several lines': ({ logger }) =>
        logger.error({ err: new Error(`x\n    at ${TOKEN}\n    at y`) }, 'x'),
      'a text that is cut in the middle of it': ({ logger }) => logger.info(`${'-'.repeat(480)} ${TOKEN}`),
    };
    for (const [where, plant] of Object.entries(planted)) {
      it(`in ${where}`, () => {
        plant(open({ level: 'debug' }));
        // Each part of it would be too much.
        assert.ok(written().includes('"time"'));
        assert.doesNotMatch(written(), new RegExp(TOKEN.slice(4, 14)));
      });
    }

    it('in a field that says by its name that it is one', () => {
      open().logger.info({ password: 'hunter2', auth: { accessToken: 'opensesame' }, tokens: 12 }, 'x');
      assert.doesNotMatch(written(), /hunter2|opensesame/);
      assert.equal(lines()[0].tokens, 12);
    });

    it('but keys, hashes, paths and reasons stay readable', () => {
      const fields = {
        key: 'session/6b2f1c1e-0c3d-4a53-9f0e-0d4c1b2a3f4e',
        hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        path: '/home/me/.claude/projects/-home-me-token/x.jsonl',
        machines: ['rog', 'hub'],
        reason: 'connect ECONNREFUSED 10.0.0.7:22',
        isNews: false,
        none: null,
      };
      open().logger.info(fields, 'put');
      const [{ time, ...logged }] = lines();
      assert.deepEqual(logged, { level: 30, ...fields, msg: 'put' });
      assert.equal(typeof time, 'number');
    });
  });

  it('says of an error what it was, where, and what caused it, as often as it causes itself', () => {
    const cause: Error = Object.assign(new Error('inner'), { code: 'EIO' });
    cause.cause = cause;
    open().logger.error({ err: new TypeError('outer', { cause }) }, 'x');
    const [{ err }] = lines();
    assert.equal(err.name, 'TypeError');
    assert.equal(err.message, 'outer');
    assert.match(err.at[0], /open-log\.test\.ts/);
    assert.deepEqual(err.causes, Array(5).fill({ name: 'Error', message: 'inner', code: 'EIO' }));
  });

  it('changes its level and its limits while it is open', () => {
    const { logger } = open({ maxBytes: 1_000, keep: 4 });
    logger.debug('no');
    log.setLevel('debug');
    logger.debug('yes');
    log.setUp({ level: 'warn', maxBytes: 300, keep: 1 });
    logger.info('no');
    for (let number = 0; number < 20; number += 1) logger.warn({ number }, 'yes');
    assert.deepEqual(readdirSync(join(folder, 'logs')).sort(), ['hub.log', 'hub.log.1']);
    assert.ok(statSync(file).size <= 300);
    assert.doesNotMatch(readFileSync(file, 'utf8'), /"no"/);
  });

  it('removes what is beyond the number of kept files, and nothing that is not its own', () => {
    mkdirSync(join(folder, 'logs'));
    for (const end of ['.1', '.2', '.3', '.2026', '.1.gz', '.bak']) writeFileSync(file + end, `${end}\n`);
    const { logger } = open({ maxBytes: 100, keep: 2 });
    logger.info('one');
    logger.info({ filler: 'x'.repeat(100) }, 'two');
    assert.deepEqual(
      readdirSync(join(folder, 'logs')).sort(),
      ['', '.1', '.1.gz', '.2', '.2026', '.bak'].map((end) => `hub.log${end}`),
    );
    assert.equal(readFileSync(`${file}.2`, 'utf8'), '.1\n');
  });

  it('goes on in a new file when somebody puts it aside, removes it, or removes its folder', () => {
    const { logger } = open();
    logger.info('one');
    renameSync(file, join(folder, 'aside'));
    logger.info('two');
    assert.equal(lines(join(folder, 'aside')).length, 1);
    rmSync(file);
    logger.info('three');
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['three'],
    );
    rmSync(join(folder, 'logs'), { recursive: true });
    logger.info('four');
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['four'],
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, 'logs')).mode & 0o777, 0o700);
    assert.deepEqual(troubles, []);
  });

  it('counts what it finds in a file that was put in its place', () => {
    const { logger } = open({ maxBytes: 1_000, keep: 2 });
    logger.info('one');
    renameSync(file, join(folder, 'aside'));
    writeFileSync(file, `${'x'.repeat(990)}\n`);
    logger.info('two');
    assert.equal(lines().length, 1);
    assert.ok(existsSync(`${file}.1`));
  });

  it('begins a line of its own behind half a line', () => {
    open().logger.info('one');
    log.close();
    appendFileSync(file, '{"level":30,"ti');
    open().logger.info('two');
    const all = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.equal(all[1], '{"level":30,"ti');
    assert.equal(JSON.parse(all[2] ?? '').msg, 'two');
  });

  it('that cannot be put aside goes on where it is, and tells it', () => {
    mkdirSync(join(folder, 'logs', 'hub.log.1'), { recursive: true });
    writeFileSync(join(folder, 'logs', 'hub.log.1', 'x'), '');
    const { logger } = open({ maxBytes: 500, keep: 1 });
    for (let number = 0; number < 20; number += 1) logger.info({ number }, 'line');
    assert.deepEqual(
      lines().map(({ number }) => number),
      Array.from({ length: 20 }, (_, number) => number),
    );
    assert.match(troubles[0] ?? '', /hub\.log/);
    // Not at each line.
    assert.ok(troubles.length < 15, String(troubles.length));
  });
});
