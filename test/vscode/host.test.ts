import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Mocha from 'mocha';
import { until } from '../black-box/ground.ts';
import { needsWorkbench } from './availability.ts';
import { hostBundle } from './host-bundle.ts';
import { OUTCOME_FILE, type HostOutcome, type HostTest } from './host/outcome.ts';
import { loadingTimes } from './loading.ts';
import { packed, type Packed } from './packed.ts';
import { WorkbenchServer } from './workbench-server.ts';
import { Workbench } from './workbench.ts';

/** How long the sync part of activation may hold up a window, ms. */
const ACTIVATE_MS = 50;

/** How many windows are asked: a busy machine can make one slow. */
const WINDOWS = 3;

describe('in the extension host', function () {
  this.timeout(300_000);
  let server: WorkbenchServer;
  let extension: Packed;
  let folder: string | undefined;
  let outcome: HostOutcome;

  before(needsWorkbench);
  before(async function () {
    extension = await packed();
    const bundle = await hostBundle();
    folder = bundle.folder;
    server = await WorkbenchServer.start({
      env: { [OUTCOME_FILE]: join(folder, 'outcome.json') },
      extensionDevelopmentPath: extension.folder,
      extensionTestsPath: bundle.module,
    });
    outcome = await runInWindow();
    // Its tests become tests of this run, each by its name.
    for (const test of outcome.tests) reportAgain(this.test?.parent, test);
  });
  after(async () => {
    await server?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function runInWindow(): Promise<HostOutcome> {
    const file = join(folder ?? '', 'outcome.json');
    await rm(file, { force: true });
    const window = await Workbench.open(server);
    try {
      await until('the tests in the extension host are done', () => existsSync(file), 120_000);
    } catch (error) {
      throw new Error(`${String(error)}\n${window.said.slice(-40).join('\n')}\n${server.said}`, { cause: error });
    } finally {
      await window.close();
    }
    return JSON.parse(await readFile(file, 'utf8')) as HostOutcome;
  }

  it('the tests run to their end', () => {
    assert.equal(outcome.error, null);
    assert.ok(outcome.tests.length > 0);
    console.log(`      VS Code ${outcome.vscode}`);
  });

  it(`activating holds up a window for less than ${ACTIVATE_MS} ms`, async () => {
    const times = [activateTime(outcome)];
    while (times.length < WINDOWS) times.push(activateTime(await runInWindow()));
    console.log(`      activate(): ${times.map((time) => `${time.toFixed(1)} ms`).join(', ')}`);
    const median = times.toSorted((one, other) => one - other)[Math.floor(WINDOWS / 2)] ?? Number.NaN;
    assert.ok(median < ACTIVATE_MS, `median ${median} ms`);
  });

  it('loading the bundle takes little, beside what starting Node takes', () => {
    const { bundleMs, cpuMs, nodeMs } = loadingTimes(join(extension.folder, 'dist/extension.cjs'));
    console.log(
      `      loading dist/extension.cjs: ${bundleMs.toFixed(1)} ms (CPU ${cpuMs.toFixed(1)} ms); starting Node: ${nodeMs.toFixed(1)} ms`,
    );
    assert.ok(bundleMs > 0);
  });
});

function activateTime({ measured }: HostOutcome): number {
  const time = measured['activate'];
  assert.ok(time !== undefined, 'activation was not measured');
  return time;
}

function reportAgain(parent: Mocha.Suite | undefined, { suites, title, state, error }: HostTest): void {
  const name = [...suites, title].filter((part) => part !== '').join(' ');
  parent?.addTest(
    new Mocha.Test(name, function (this: Mocha.Context) {
      if (state === 'skipped') this.skip();
      if (state === 'failed') throw new Error(error ?? 'failed');
    }),
  );
}
