/**
 * `npm start`: from a fresh clone to a running hub. Installs, builds, and runs the hub in the foreground. Arguments go to the hub
 * (`npm start -- --config FILE`); its exit code is passed on. `npm run demo` is the same for the demonstration.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureInstalled, Failed, giveUp, pinnedNode, ROOT, run } from './bootstrap.mjs';

try {
  ensureInstalled();
  const node = pinnedNode();
  if ((await run(node, [join(ROOT, 'esbuild.mjs'), '--quiet'])) !== 0) throw new Failed('The build failed, see above.');
  const words = process.argv.slice(2);
  runHub(node, words[0] === 'demo' ? words : ['hub', ...words]);
} catch (error) {
  giveUp(error);
}

/**
 * The hub gets a process group of its own, and the signals from here: Ctrl-C would otherwise reach it several times (from the
 * terminal, from npm and from this process), and the second one means "at once" to it.
 */
function runHub(node, arguments_) {
  const hub = spawn(node, [join(ROOT, 'dist', 'claude-sync.js'), ...arguments_], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
  });
  let lastAt = 0;
  const stop = (signal) => {
    const now = performance.now();
    if (lastAt !== 0 && now - lastAt < 1000) return;
    lastAt = now;
    hub.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  if (['start', 'demo'].includes(process.env.npm_lifecycle_event)) whenOrphaned(() => stop('SIGTERM'));
  hub.on('error', giveUp);
  hub.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

/** npm passes SIGTERM to the shell between it and us, which dies of it without a word; all we see is that our parent is another one. */
function whenOrphaned(task) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    task();
  }, 250);
}
