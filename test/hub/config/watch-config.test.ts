import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigError } from '../../../src/hub/config/config-error.ts';
import { defaultConfig } from '../../../src/hub/config/default-config.ts';
import { loadConfig, type LoadedConfig } from '../../../src/hub/config/load.ts';
import { watchConfig, type ConfigWatch } from '../../../src/hub/config/watch-config.ts';
import type { Clock } from '../../../src/hub/ports/clock.ts';

const realClock: Clock = {
  now: () => Date.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};

/** What was told, in order; `next` waits for one more. */
class Told {
  readonly all: (LoadedConfig | ConfigError)[] = [];
  #wake: (() => void) | null = null;

  add = (one: LoadedConfig | ConfigError): void => {
    this.all.push(one);
    this.#wake?.();
  };

  async until(count: number): Promise<LoadedConfig | ConfigError> {
    while (this.all.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    const one = this.all[count - 1];
    assert.ok(one);
    return one;
  }
}

const GOOD = '{ "machines": { "a": { "transport": "local" } } }';
const BETTER = '{ "machines": { "a": { "transport": "local", "paused": true } } }';

describe('a configuration that changes while the hub runs', () => {
  let folder: string;
  let file: string;
  let told: Told;
  let watching: ConfigWatch;
  const watch = async (current: LoadedConfig): Promise<void> => {
    const onTrouble = (reason: string): void => assert.fail(reason);
    const options = { file, home: '/home/ada', clock: realClock, current, settleMs: 30 };
    watching = await watchConfig({ ...options, onConfig: told.add, onError: told.add, onTrouble });
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'watch-config-'));
    file = join(folder, 'config.jsonc');
    told = new Told();
    await writeFile(file, GOOD);
  });
  afterEach(async () => {
    await watching.close();
    await rm(folder, { recursive: true });
  });

  it('is told when it is written in place, and when it is replaced', async () => {
    await watch(await loadConfig(file, '/home/ada'));
    await writeFile(file, BETTER);
    assert.equal(pausedIn(await told.until(1)), true);
    await writeFile(`${file}.new`, GOOD);
    await rename(`${file}.new`, file);
    assert.equal(pausedIn(await told.until(2)), false);
    assert.equal(pausedIn(watching.lastGood), false);
  });

  it('with a mistake is told once, and the last good one stays in force', async () => {
    await watch(await loadConfig(file, '/home/ada'));
    await writeFile(file, '{ "machines": ');
    assert.match(((await told.until(1)) as ConfigError).message, /config\.jsonc:1:\d+: not valid JSON/);
    assert.equal(pausedIn(watching.lastGood), false);
    await watching.reload();
    await writeFile(file, BETTER);
    assert.equal(pausedIn(await told.until(2)), true);
    assert.equal(told.all.length, 2);
  });

  it('is told to be good again, also when it says what it said before', async () => {
    let mended = 0;
    const options = {
      file,
      home: '/home/ada',
      clock: realClock,
      current: await loadConfig(file, '/home/ada'),
      settleMs: 30,
    };
    const onTrouble = (reason: string): void => assert.fail(reason);
    const onMended = (): void => void (mended += 1);
    watching = await watchConfig({ ...options, onConfig: told.add, onError: told.add, onMended, onTrouble });
    assert.equal(mended, 0, 'it was never bad');
    await writeFile(file, '{ "machines": ');
    await told.until(1);
    await writeFile(file, GOOD);
    await watching.reload();
    assert.equal(mended, 1);
    assert.equal(told.all.length, 1);
  });

  it('that was edited while the hub was starting is not missed', async () => {
    const old = await loadConfig(file, '/home/ada');
    await writeFile(file, BETTER);
    await watch(old);
    assert.equal(pausedIn(await told.until(1)), true);
  });

  it('that is taken away is told, and the last good one stays in force', async () => {
    await watch(await loadConfig(file, '/home/ada'));
    await unlink(file);
    assert.equal(((await told.until(1)) as ConfigError).code, 'missing');
    assert.equal(pausedIn(watching.lastGood), false);
  });

  it('that appears later takes the place of the embedded default, whose absence was no mistake', async () => {
    await unlink(file);
    await watch(defaultConfig({ hostName: 'x', home: '/home/ada', env: {} }));
    await writeFile(file, BETTER);
    const first = await told.until(1);
    assert.equal(pausedIn(first), true);
    assert.equal((first as LoadedConfig).file, file);
  });
});

function pausedIn(told: LoadedConfig | ConfigError): boolean | undefined {
  assert.ok('config' in told, 'expected a configuration');
  return told.config.machines['a']?.paused;
}
