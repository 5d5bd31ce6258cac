/**
 * `npm test`: everything, from a fresh clone: install, type-check, lint, build, all suites. `npm test -- core hub` builds and runs
 * these groups only. The last line is `N passed, N failed`; a failing check counts as one failure. Exit code 1 on any failure, and
 * when no test ran at all.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWhenDone } from './end-when-done.mjs';
import { ensureInstalled, giveUp, pinnedNode, ROOT, run } from './bootstrap.mjs';

/** The suites, cheapest first: folders below test/. */
const GROUPS = ['repo', 'core', 'hub', 'client', 'cli', 'simulation', 'vscode', 'black-box'];

/** Debian packages that suites need, each with a command or a file that shows that it is there. */
const DEBIAN_PACKAGES = [
  { name: 'openssh-server', command: 'sshd' },
  { name: 'openssh-client', command: 'ssh-agent' },
  { name: 'rsync', command: 'rsync' },
  { name: 'gh', command: 'gh' },
  { name: 'ntfs-3g', command: 'lowntfs-3g' },
  { name: 'inotify-tools', command: 'inotifywait' },
  { name: 'fswatch', command: 'fswatch' },
  { name: 'iproute2', command: 'ip' },
  { name: 'procps', command: 'ps' },
  { name: 'unzip', command: 'unzip' },
  // The browser that VS Code's workbench is shown in.
  { name: 'chromium', command: 'chromium' },
  // What a Mac has instead of sha256sum.
  { name: 'perl', command: 'shasum' },
  // The reference parser of OpenMetrics.
  { name: 'python3-prometheus-client', file: '/usr/lib/python3/dist-packages/prometheus_client/openmetrics/parser.py' },
];

/** Where Debian asks whether a package may start its daemon. */
const POLICY = '/usr/sbin/policy-rc.d';

const TSC = 'node_modules/typescript/bin/tsc';

/** A suite that is not done by then hangs. */
const GROUP_TIMEOUT_MS = 40 * 60_000;

/**
 * Groups that run beside the others, one after the other. The simulation computes for minutes while the others mostly wait: with the lowest
 * priority it takes what they leave. A workbench mostly waits, too.
 */
const BESIDE = new Map([
  ['simulation', constants.priority.PRIORITY_LOW],
  ['vscode', constants.priority.PRIORITY_NORMAL],
]);
/** How long one of them may take. */
const BESIDE_TIMEOUT_MS = 60 * 60_000;

/** Of a failure, at the end of the output, in characters. */
const MAX_PROBLEM = 4_000;

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !GROUPS.includes(name));
if (unknown.length > 0) {
  console.error(`no such group: ${unknown.join(', ')}; there are: ${GROUPS.join(', ')}`);
  process.exit(2);
}

try {
  ensureInstalled();
  ensureDebianPackages();
  const totals = await runAll(pinnedNode());
  if (totals.passed + totals.failed === 0) console.log('\nno test ran: that is a failure too');
  // Once more at the end: what stands between thousands of lines is not found there, and of a long output often only the end is kept.
  for (const problem of totals.problems) console.log(`\nFAILED: ${problem.slice(0, MAX_PROBLEM)}`);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
} catch (error) {
  giveUp(error);
}

async function runAll(node) {
  const totals = { passed: 0, failed: 0, problems: [] };
  const checks = [
    ...(chosen.length === 0
      ? [
          ['typecheck', [TSC, '-p', '.']],
          ['typecheck webview', [TSC, '-p', 'webview']],
        ]
      : []),
    ...(chosen.length === 0 ? [['lint', ['node_modules/eslint/bin/eslint.js', '.']]] : []),
    ['build', ['esbuild.mjs', '--quiet']],
  ];
  for (const [name, command] of checks) {
    heading(name);
    const code = await run(node, command);
    if (code === 0) console.log('ok');
    else count(totals, broken(`${name} (exit code ${code})`));
  }
  const groups = GROUPS.filter((group) => chosen.length === 0 || chosen.includes(group));
  const others = groups.filter((group) => !BESIDE.has(group));
  const beside = groups.filter((group) => BESIDE.has(group));
  await Promise.all([
    inTurn(others, async (group) => count(totals, await runGroup(node, group))),
    inTurn(beside, async (group) => count(totals, await runGroup(node, group, { beside: others.length > 0 }))),
  ]);
  return totals;
}

async function inTurn(groups, work) {
  for (const group of groups) await work(group);
}

function count(totals, { passed, failed, problems }) {
  totals.passed += passed;
  totals.failed += failed;
  totals.problems.push(...problems);
}

/** What fails without being a test counts as one. */
function broken(problem, passed = 0) {
  console.log(`FAILED: ${problem}`);
  return { passed, failed: 1, problems: [problem] };
}

/** @param beside whether it runs beside other groups: its progress is told line by line, the rest when it is done. */
async function runGroup(node, group, { beside = false } = {}) {
  heading(beside ? `test/${group}, beside the others` : `test/${group}`);
  if (!hasTests(join(ROOT, 'test', group))) {
    console.log('no tests here yet');
    return { passed: 0, failed: 0, problems: [] };
  }
  const folder = mkdtempSync(join(tmpdir(), 'claude-sync-test-'));
  const countFile = join(folder, 'counts.json');
  try {
    const mocha = ['node_modules/mocha/bin/mocha.js', '--forbid-only', '--reporter', 'scripts/counting-reporter.mjs'];
    let end = null;
    const options = {
      env: { CLAUDE_SYNC_TEST_COUNTS: countFile },
      timeoutMs: GROUP_TIMEOUT_MS,
      onStart: (child) => (end = endWhenDone(child, countFile)),
    };
    const codeOf = async (running) => {
      const code = await running;
      // Its own code never came; what counts is what it told.
      return end?.wasNeeded ? 0 : code;
    };
    const words = [...mocha, `test/${group}/**/*.test.ts`];
    if (!beside) return outcome(group, await codeOf(run(node, words, options)), countFile);
    let said = '';
    const running = run(node, words, {
      ...options,
      timeoutMs: BESIDE_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'inherit'],
      onStart(child) {
        options.onStart(child);
        setPriority(child.pid, BESIDE.get(group));
        createInterface({ input: child.stdout }).on('line', (line) => {
          said += `${line}\n`;
          if (/\d+ of \d+ seeds|^ {2}\S/.test(line)) console.log(`    [${group}] ${line.trim()}`);
        });
      },
    });
    const code = await codeOf(running);
    heading(`test/${group}`);
    process.stdout.write(said);
    return outcome(group, code, countFile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a suite's run counts for. One that ended without telling, or failed without a failed test, is one failure more. */
function outcome(group, code, countFile) {
  if (!existsSync(countFile)) return broken(`test/${group} ended with code ${code} before it was done`);
  const { passed, failed, skipped, failures } = JSON.parse(readFileSync(countFile, 'utf8'));
  console.log(`test/${group}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (code === 0 || failed > 0) {
    return { passed, failed, problems: failures.map((failure) => `test/${group}: ${failure}`) };
  }
  return broken(`test/${group} ended with code ${code} although no test failed`, passed);
}

function hasTests(folder) {
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => String(name).endsWith('.test.ts'))
  );
}

/** Installs missing packages where that is allowed (root on Debian); else says which, and their suites say what they skip. */
function ensureDebianPackages() {
  const missing = DEBIAN_PACKAGES.filter(
    ({ command, file }) => !(file === undefined ? isThere(command) : existsSync(file)),
  ).map(({ name }) => name);
  if (missing.length === 0) return;
  heading(`Debian packages: ${missing.join(' ')}`);
  if (process.getuid?.() !== 0 || !isThere('apt-get')) {
    console.log('not installed here (that takes root and apt-get); tests that need them are skipped and say so');
    return;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...words) => spawnSync('apt-get', ['-q', '-y', ...words], { stdio: 'inherit', env }).status === 0;
  withoutDaemons(() => {
    if (!apt('install', '--no-install-recommends', ...missing) && apt('update')) {
      apt('install', '--no-install-recommends', ...missing);
    }
  });
}

/** Whether there is a command, also where administrators' commands are not in the PATH. */
function isThere(command) {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  return spawnSync('sh', ['-c', 'command -v "$0"', command], { stdio: 'ignore', env }).status === 0;
}

/** Installs something so that no daemon is started: tests start their own sshd, and nobody asked for one that everybody reaches. */
function withoutDaemons(install) {
  // Somebody else's answer to that question stands.
  const ask = !existsSync(POLICY);
  if (ask) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (ask) rmSync(POLICY);
  }
}

function heading(text) {
  console.log(`\n=== ${text}`);
}
