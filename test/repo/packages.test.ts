import assert from 'node:assert/strict';
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
};

/** Targets of VS Code, with the binaries of the database that each package is to carry. */
const TARGETS: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': ['linux-x64'],
  'linux-arm64': ['linux-arm64'],
  'darwin-x64': ['darwin-x64'],
  'darwin-arm64': ['darwin-arm64'],
  'win32-x64': ['win32-x64'],
  universal: [
    'darwin-arm64',
    'darwin-x64',
    'linux-arm64',
    'linux-x64',
    'linuxmusl-arm64',
    'linuxmusl-x64',
    'win32-arm64',
    'win32-x64',
  ],
};

const hasUnzip = spawnSync('unzip', ['-v'], { stdio: 'ignore' }).status === 0;

describe('the packages', function () {
  this.timeout(180_000);
  let folder: string;
  const fileOf = (target: string): string =>
    join(folder, `${name}-${version}${target === 'universal' ? '' : `-${target}`}.vsix`);
  const entries = (target: string): string[] =>
    execFileSync('unzip', ['-Z1', fileOf(target)], { encoding: 'utf8' })
      .trim()
      .split('\n');

  before(function () {
    if (!hasUnzip) {
      console.log('      skipped: unzip is missing');
      return this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'claude-sync-packages-'));
    execFileSync(process.execPath, [join(ROOT, 'scripts/package.mjs'), '--out', folder], { stdio: 'pipe' });
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  for (const [target, binaries] of Object.entries(TARGETS)) {
    it(`for ${target} hold the extension, the hub and the command line, and the database for there alone`, () => {
      const all = entries(target);
      for (const file of ['package.json', 'dist/extension.cjs', 'dist/claude-sync.js', 'dist/writer-thread.js'])
        assert.ok(all.includes(`extension/${file}`), file);
      const found = all.flatMap((entry) => /prebuilds\/(.*)\.node$/.exec(entry)?.[1] ?? []);
      assert.deepEqual(found.sort(), binaries);
      const manifest = execFileSync('unzip', ['-p', fileOf(target), 'extension.vsixmanifest'], { encoding: 'utf8' });
      const platform = /TargetPlatform="([^"]*)"/.exec(manifest)?.[1];
      assert.equal(platform, target === 'universal' ? undefined : target);
    });
  }

  it('hold nothing that only building needs', () => {
    for (const entry of entries('universal')) {
      assert.doesNotMatch(entry, /\.(map|ts|c|cpp|h|gyp|tsbuildinfo)$|^extension\/(src|test|scripts|node_modules)\//);
    }
  });

  it('run from where they were unpacked, with their own database', () => {
    const target = `${process.platform}-${process.arch}`;
    if (!(target in TARGETS)) return;
    const place = join(folder, 'unpacked');
    execFileSync('unzip', ['-q', fileOf(target), '-d', place]);
    withHub(join(place, 'extension/dist/claude-sync.js'), folder);
  });

  it('the one for npm has its command, which starts a hub', () => {
    const npm = (...words: string[]): string =>
      execFileSync('npm', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    const [packed] = JSON.parse(npm('pack', ROOT, '--json', '--loglevel=error')) as {
      filename: string;
      files: { path: string }[];
    }[];
    assert.ok(packed);
    for (const { path } of packed.files) assert.match(path, /^(dist\/|package\.json$|README|LICENSE|CHANGELOG)/);
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    npm('install', '--prefix', join(folder, 'npm'), ...options, join(folder, packed.filename));
    withHub(join(folder, 'npm/node_modules/.bin/claude-sync'), folder);
  });

  it('every VS Code window loads little', () => {
    assert.ok(statSync(join(ROOT, 'dist/extension.cjs')).size < 400 * 1024);
  });
});

/** Starts a hub with a program, sees that it answers, and stops it. */
function withHub(program: string, folder: string): void {
  const home = mkdtempSync(join(folder, 'home-'));
  const env = { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: home };
  const ask = (...words: string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [program, ...words], { env, encoding: 'utf8' });
  assert.equal(ask('--version').stdout.trim(), version);
  const up = ask('up');
  try {
    assert.equal(up.status, 0, up.stderr);
    const status = ask('status', '--json');
    assert.equal((JSON.parse(status.stdout) as { hub: { version: string } }).hub.version, version);
  } finally {
    assert.equal(ask('down').status, 0);
  }
}
