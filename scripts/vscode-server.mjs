/**
 * VS Code's server for the tests, where the desktop build cannot be downloaded: npm's `code-server` carries it. `node
 * scripts/vscode-server.mjs` installs it into .tmp/vscode-server/. Plain JavaScript without dependencies, as bootstrap.mjs.
 *
 * Nothing is compiled. code-server's own install script would install 180 packages and build eight native ones (100 s, a compiler,
 * Node's headers from the network). `test/vscode/server/package.json` names instead what the server and its page load, and the two
 * native parts that are left bring their binaries along; the logger is a few lines of JavaScript.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, Failed, giveUp, pinnedNode, ROOT } from './bootstrap.mjs';

const SOURCE = join(ROOT, 'test', 'vscode', 'server');
const FOLDER = join(ROOT, '.tmp', 'vscode-server');
const STAMP = join(FOLDER, 'installed');
const VSCODE = join(FOLDER, 'node_modules', 'code-server', 'lib', 'vscode');

/**
 * Extensions of VS Code that no test is about: they take seconds of each start, or want packages that are not installed here. Of those
 * that also run in the page all stay, which would look for them.
 */
const UNUSED_EXTENSIONS = [
  'copilot',
  'git',
  'github',
  'microsoft-authentication',
  'ms-vscode.js-debug',
  'ms-vscode.js-debug-companion',
  'terminal-suggest',
  'tunnel-forwarding',
];

/** Installs it unless it is there as locked. @returns its folder. Throws `Failed`. */
export function ensureVsCodeServer(node) {
  const version = lockedVersion();
  if (isStamped(version)) return FOLDER;
  const began = Date.now();
  console.log("Installing VS Code's server for the tests (npm ci, about 10 s) ...");
  rmSync(STAMP, { force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(SOURCE, name), join(FOLDER, name));
  npmCi(node);
  arrange();
  writeFileSync(`${STAMP}.new`, version);
  // Last, and at once: what is half there is installed again.
  renameSync(`${STAMP}.new`, STAMP);
  console.log(`VS Code's server is installed (${Math.round((Date.now() - began) / 1000)} s).`);
  return FOLDER;
}

/** @returns its folder when it is there as locked, else `null`. */
export function installedVsCodeServer() {
  return isStamped(lockedVersion()) ? FOLDER : null;
}

/** @returns path of Debian's Chromium (or Chrome), `null` where there is none. */
export function chromium() {
  const named = process.env.CLAUDE_SYNC_CHROMIUM;
  if (named) return named;
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}

/** The lock, and this file: it arranges what is installed. */
function lockedVersion() {
  const hash = createHash('sha256');
  for (const file of [join(SOURCE, 'package-lock.json'), join(SOURCE, 'spdlog.cjs'), fileURLToPath(import.meta.url)])
    hash.update(readFileSync(file));
  return hash.digest('hex');
}

function isStamped(version) {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === version;
}

function npmCi(node) {
  const words = ['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'];
  const own = process.env.npm_execpath;
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` };
  const options = { cwd: FOLDER, env, stdio: 'inherit' };
  const { status, error } =
    own !== undefined && /\.c?js$/.test(own)
      ? spawnSync(node, [own, ...words], options)
      : spawnSync('npm', words, { ...options, shell: process.platform === 'win32' });
  if (status === 0) return;
  throw new Failed(
    `VS Code's server could not be installed: npm ci in ${FOLDER} failed (${error?.message ?? `exit code ${status}`}). ` +
      'See its output above; is the network reachable?',
  );
}

/** Puts things where VS Code looks for them. */
function arrange() {
  // Its page asks for packages below its own folder.
  const link = join(VSCODE, 'node_modules');
  rmSync(link, { recursive: true, force: true });
  symlinkSync(join('..', '..', '..'), link, 'junction');
  for (const name of UNUSED_EXTENSIONS) rmSync(join(VSCODE, 'extensions', name), { recursive: true, force: true });
  const logger = join(FOLDER, 'node_modules', '@vscode', 'spdlog');
  mkdirSync(logger, { recursive: true });
  cpSync(join(SOURCE, 'spdlog.cjs'), join(logger, 'index.cjs'));
  writeFileSync(join(logger, 'package.json'), '{"name":"@vscode/spdlog","version":"0.0.0","main":"index.cjs"}\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    ensureInstalled();
    console.log(ensureVsCodeServer(pinnedNode()));
  } catch (error) {
    giveUp(error);
  }
}
