import { execFileSync } from 'node:child_process';

/** What loading a bundle costs, in ms; each the median of several processes. */
export interface LoadingTimes {
  /** `require` of the bundle, by the clock. */
  readonly bundleMs: number;
  /** The same in CPU time, which a busy machine changes less. */
  readonly cpuMs: number;
  /** From the process's beginning until it runs its first line: what to compare with. */
  readonly nodeMs: number;
}

const PROCESSES = 5;

/** In a fresh process, with something in the place of `vscode` that has everything and does nothing. */
const SCRIPT = `
  const Module = require('node:module');
  const nodeMs = performance.now();
  const nothing = new Proxy(function () {}, {
    get: (_, name) => (name === Symbol.toPrimitive ? () => '' : nothing),
    apply: () => nothing,
    construct: () => nothing,
  });
  const load = Module._load;
  Module._load = function (name, ...rest) {
    return name === 'vscode' ? nothing : load.call(this, name, ...rest);
  };
  const cpu = process.cpuUsage();
  const began = performance.now();
  require(process.argv[1]);
  const bundleMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(JSON.stringify({ bundleMs, cpuMs: (user + system) / 1000, nodeMs }), () => process.exit());
`;

/** Loads a bundle of an extension as VS Code does, without activating it. */
export function loadingTimes(bundle: string): LoadingTimes {
  const runs = Array.from(
    { length: PROCESSES },
    () => JSON.parse(execFileSync(process.execPath, ['-e', SCRIPT, bundle], { encoding: 'utf8' })) as LoadingTimes,
  );
  const median = (of: (run: LoadingTimes) => number): number =>
    runs.map(of).sort((one, other) => one - other)[Math.floor(runs.length / 2)] ?? Number.NaN;
  return {
    bundleMs: median((run) => run.bundleMs),
    cpuMs: median((run) => run.cpuMs),
    nodeMs: median((run) => run.nodeMs),
  };
}
