/**
 * Makes a fresh clone ready: installs the dependencies when they are missing or older than the lock file, and finds the Node
 * that the project is pinned to. Plain JavaScript without dependencies, because this runs before there are any, on whatever
 * Node the machine has (>= 20). The pinned one matters: the native database module crashes on Node 20.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the project. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Oldest Node that the product itself runs on. */
const OLDEST_NODE = [22, 22];

/** Packages whose install scripts are needed: the pinned Node, and the bundler's binary. */
const WITH_SCRIPTS = ['node', 'esbuild'];

/** Installs what the lock file names, unless that has been done since it changed. Throws `Failed`. */
export function ensureInstalled(root = ROOT) {
  if (!isInstalled(root)) {
    console.log('Installing dependencies (npm ci) ...');
    // Quietly: on an older Node npm warns of every package that wants a newer one, and the pinned one is just about to come.
    // Without scripts: npm would compile the database module, which brings its binaries along, and that takes a compiler and
    // Node's headers from the network.
    npm(root, 'ci', '--include=dev', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error');
  }
  if (!existsSync(pinnedPath(root))) npm(root, 'rebuild', ...WITH_SCRIPTS);
}

function npm(root, ...arguments_) {
  // Started by npm, its own path is known; else the one of the PATH (a shell script on Windows, hence `shell`).
  const path = process.env.npm_execpath;
  // The Node that runs npm; this process may run on the pinned one, which `npm ci` has just taken away.
  const node = process.env.npm_node_execpath ?? process.execPath;
  const { status, error } =
    path !== undefined && /\.c?js$/.test(path)
      ? spawnSync(node, [path, ...arguments_], { cwd: root, stdio: 'inherit' })
      : spawnSync('npm', arguments_, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status === 0) return;
  const how = error?.message ?? `exit code ${status}`;
  throw new Failed(`npm ${arguments_[0]} failed (${how}). See its output above; is the network reachable?`);
}

function pinnedPath(root) {
  return join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** Whether everything in the lock file was installed after it last changed. */
export function isInstalled(root) {
  const marker = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(marker)) return false;
  return statSync(marker).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

/** The Node to run with: the pinned one, else the running one if it is new enough. Throws `Failed`. */
export function pinnedNode(root = ROOT) {
  const pinned = pinnedPath(root);
  if (existsSync(pinned)) return pinned;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return process.execPath;
  throw new Failed(
    `Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.versions.node}, and the pinned one is not installed ` +
      `(${pinned}). Install a newer Node, or run "npm ci" again and look for errors of the package "node".`,
  );
}

/**
 * Runs a command with the project's tools first in the PATH and waits for it.
 * @returns its exit code; 1 when it could not be started; 128 + n when signal n ended it.
 */
export function run(command, arguments_, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, arguments_, {
      cwd: ROOT,
      stdio: 'inherit',
      ...options,
      env: { ...withTools(), ...options.env },
    });
    options.onStart?.(child);
    const stop = options.timeoutMs ? setTimeout(() => timedOut(child, options.timeoutMs), options.timeoutMs) : null;
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => {
      if (stop !== null) clearTimeout(stop);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

function timedOut(child, ms) {
  console.error(`\nstopped: not done after ${Math.round(ms / 60_000)} minutes`);
  child.kill('SIGKILL');
}

/** The environment with the project's tools first; the pinned Node is among them. */
function withTools() {
  const separator = process.platform === 'win32' ? ';' : ':';
  return { ...process.env, PATH: [join(ROOT, 'node_modules', '.bin'), process.env.PATH ?? ''].join(separator) };
}

/** A step that failed, with what to do about it. */
export class Failed extends Error {}

/** Ends the process with code 1 and the message for a `Failed`; anything else is a defect and shown with its stack. */
export function giveUp(error) {
  console.error(error instanceof Failed ? `\n${error.message}` : error);
  process.exit(1);
}
