import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readLog, readOn } from '../../../src/hub/log/read-log.ts';

const line = (number: number, more: object = {}): string =>
  `${JSON.stringify({ level: 30, time: 1_000 + number, number, ...more, msg: 'line' })}\n`;

describe('reading the log of the hub', () => {
  let folder: string;
  let file: string;
  const numbers = async (most: number, filter = {}): Promise<unknown[]> =>
    (await readLog(file, most, filter)).lines.map(({ fields }) => fields['number']);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'read-log-'));
    file = join(folder, 'hub.log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has the last lines of all files, oldest first', async () => {
    writeFileSync(`${file}.2`, line(1) + line(2));
    writeFileSync(`${file}.1`, line(3));
    writeFileSync(file, line(4) + line(5));
    writeFileSync(`${file}.2026`, line(99));
    assert.deepEqual(await numbers(100), [1, 2, 3, 4, 5]);
    assert.deepEqual(await numbers(4), [2, 3, 4, 5]);
    assert.deepEqual(await numbers(2), [4, 5]);
    assert.deepEqual(await numbers(0), []);
  });

  it('is of no log when there is none, or its folder is not there', async () => {
    assert.deepEqual(await readLog(file, 10), { lines: [], broken: 0, isThere: false, position: new Map() });
    assert.equal((await readLog(join(folder, 'no', 'hub.log'), 10)).isThere, false);
  });

  it('finds older files also where one is missing', async () => {
    writeFileSync(`${file}.7`, line(1));
    writeFileSync(`${file}.3`, line(2));
    assert.deepEqual(await numbers(10), [1, 2]);
  });

  it('gives each line as it is and what it says', async () => {
    const text = '{"level":50,"time":5,"machine":"rog","err":{"name":"Error","message":"x"},"msg":"failed"}';
    writeFileSync(file, `${text}\n`);
    assert.deepEqual((await readLog(file, 1)).lines, [
      {
        level: 'error',
        at: 5,
        message: 'failed',
        fields: { machine: 'rog', err: { name: 'Error', message: 'x' } },
        text,
      },
    ]);
  });

  it('leaves broken lines out and counts them; half a line at the end is not one yet', async () => {
    writeFileSync(
      file,
      `${line(1)}{"level":30,"ti\n\nnot json\n[1]\n"x"\n{"level":"30","time":1}\n\0\0\0\n${line(2)}{"level":30,"time":99`,
    );
    const { broken } = await readLog(file, 10);
    assert.deepEqual(await numbers(10), [1, 2]);
    assert.equal(broken, 6);
  });

  it('a line without an end does no harm', async () => {
    writeFileSync(file, `${line(1)}${'x'.repeat(3_000_000)}\n${line(2)}`);
    assert.deepEqual(await numbers(10), [1, 2]);
    const position = new Map<string, number>();
    const read = await readOn(file, position, 10);
    assert.deepEqual(
      read.map(({ fields }) => fields['number']),
      [1, 2],
    );
  });

  describe('finds what is asked for', () => {
    beforeEach(() =>
      writeFileSync(
        file,
        [
          line(1, { level: 20, source: 'mac', target: 'rog' }),
          line(2, { level: 30, machine: 'rog' }),
          line(3, { level: 40, machine: 'mac' }),
          line(4, { level: 50, machine: 'mac', machines: ['mac', 'rog'] }),
          line(5, { level: 60 }),
        ].join(''),
      ),
    );
    const cases: [filter: object, found: number[]][] = [
      [{ level: 'debug' }, [1, 2, 3, 4, 5]],
      [{ level: 'info' }, [2, 3, 4, 5]],
      [{ level: 'warn' }, [3, 4, 5]],
      [{ level: 'error' }, [4, 5]],
      [{ machine: 'rog' }, [1, 2, 4]],
      [{ machine: 'mac', level: 'warn' }, [3, 4]],
      [{ machine: 'no' }, []],
      [{ since: 1_003 }, [3, 4, 5]],
    ];
    for (const [filter, found] of cases)
      it(JSON.stringify(filter), async () => {
        assert.deepEqual(await numbers(10, filter), found);
        assert.deepEqual(await numbers(1, filter), found.slice(-1));
      });
  });

  it('reads the same forwards and backwards, wherever the chunks end', async () => {
    const texts = fc.array(fc.nat(40_000), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(15), async (lengths, most) => {
        writeFileSync(file, lengths.map((length, number) => line(number, { é: 'é'.repeat(length) })).join(''));
        const all = await readOn(file, new Map(), 1_000);
        assert.deepEqual(
          all.map(({ fields }) => fields['number']),
          lengths.map((_, number) => number),
        );
        assert.deepEqual((await readLog(file, most)).lines, most === 0 ? [] : all.slice(-most));
      }),
      { numRuns: 50 },
    );
  });

  it('goes on behind what was read, at half a line too', async () => {
    writeFileSync(file, `${line(1)}${line(2)}${line(3).slice(0, 10)}`);
    const { position } = await readLog(file, 1);
    const next = new Map(position);
    assert.deepEqual(await readOn(file, next, 10), []);
    appendFileSync(file, line(3).slice(10) + line(4) + line(5));
    const read = async (most: number): Promise<unknown[]> =>
      (await readOn(file, next, most)).map(({ fields }) => fields['number']);
    assert.deepEqual(await read(2), [3, 4]);
    assert.deepEqual(await read(2), [5]);
    assert.deepEqual(await read(2), []);
  });

  it('50 MB of logs take little memory', async () => {
    const block = Array.from({ length: 10_000 }, (_, number) => line(number, { filler: 'x'.repeat(950) })).join('');
    for (const end of ['', '.1', '.2', '.3', '.4']) writeFileSync(file + end, line(Number(end.slice(1))) + block);
    // In a process that is ended when it holds more: the memory of this one says little, because nobody knows when it is given back.
    const url = new URL('../../../src/hub/log/read-log.ts', import.meta.url);
    const script = `const { readLog } = await import(${JSON.stringify(url)});
      const { lines } = await readLog(${JSON.stringify(file)}, 10, { level: 'error' });
      process.stdout.write(String(lines.length));`;
    const words = ['--max-old-space-size=24', '--input-type=module', '-e', script];
    assert.equal(execFileSync(process.execPath, words, { encoding: 'utf8' }), '0');
  });
});
