import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog, type HubLog } from '../../src/hub/log.ts';

describe('the log of the hub', () => {
  let folder: string;
  let file: string;
  let log: HubLog;
  let troubles: string[];
  const open = (over: { maxBytes?: number; keep?: number } = {}): HubLog => {
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
});
