import { renameSync, writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import * as vscode from 'vscode';
import { activation } from './activation.ts';
import { contributions } from './contributions.ts';
import { OUTCOME_FILE, type HostOutcome, type HostTest } from './outcome.ts';

/** What the suites are given: a place for what they measure. */
export type Measure = (name: string, ms: number) => void;

/** Suites, in the order in which they run. The first one looks at how the extension was started. */
const SUITES = [activation, contributions];

/** What VS Code calls in its extension host (`extensionTestsPath`). @throws when a test failed: the desktop ends with a code then. */
export async function run(): Promise<void> {
  const tests: HostTest[] = [];
  const measured: Record<string, number> = {};
  let error: string | null = null;
  try {
    await runSuites(tests, measured);
  } catch (failure) {
    error = textOf(failure);
  }
  const outcome: HostOutcome = { tests, measured, vscode: vscode.version, error };
  const file = process.env[OUTCOME_FILE];
  if (file === undefined) throw new Error(`${OUTCOME_FILE} does not name a file`);
  writeFileSync(`${file}.new`, JSON.stringify(outcome));
  // Whoever waits for it finds it whole.
  renameSync(`${file}.new`, file);
  const failed = tests.filter(({ state }) => state === 'failed').length;
  if (failed > 0 || error !== null) throw new Error(error ?? `${failed} failed`);
}

/** Nobody reads the output of an extension host. */
class Silent extends Mocha.reporters.Base {}

function runSuites(tests: HostTest[], measured: Record<string, number>): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, reporter: Silent });
  // Gives `describe` and `it` to the suites, which are part of this bundle and no files.
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  for (const suite of SUITES) suite((name, ms) => (measured[name] = ms));
  return new Promise((resolve) => {
    const runner = mocha.run(() => resolve());
    const note = (test: Mocha.Runnable, state: HostTest['state'], failure: unknown = null): void => {
      const [title = '', ...suites] = [...test.titlePath()].reverse();
      tests.push({ suites: suites.reverse(), title, state, error: failure === null ? null : textOf(failure) });
    };
    runner.on('pass', (test) => note(test, 'passed'));
    runner.on('fail', (test, failure) => note(test, 'failed', failure));
    runner.on('pending', (test) => note(test, 'skipped'));
  });
}

function textOf(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
