import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { toolsHere, type Tools } from './availability.ts';
import { playwright, type Browser } from './playwright.ts';

/** What a server is started with. */
export interface WorkbenchServerOptions {
  /** Packages that are installed first. */
  readonly vsix?: readonly string[];
  /** User settings, over those that keep the workbench quiet. Settings of the scope `machine` are not read from here. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Settings of the computer: those of the scope `machine`. */
  readonly machineSettings?: Readonly<Record<string, unknown>>;
  /** Added to the environment of the server, and so of the extension host. `undefined` takes a variable away. */
  readonly env?: NodeJS.ProcessEnv;
  /** Folder of an extension that is loaded from where it lies. */
  readonly extensionDevelopmentPath?: string;
  /** Module that runs tests in the extension host. */
  readonly extensionTestsPath?: string;
  /** Whether restricted workspaces exist: then a folder that is opened is not trusted until somebody says so. Default no. */
  readonly workspaceTrust?: boolean;
}

/** A hub is started by the tests that are about it. */
const QUIET_MACHINE = { 'claudeSync.hub.autoStart': 'never' };

/** Nothing opens, asks or looks for updates by itself. */
const QUIET_SETTINGS = {
  // Its lines are in the page then, and not in a picture.
  'terminal.integrated.gpuAcceleration': 'off',
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'window.commandCenter': false,
  'workbench.editor.enablePreview': false,
  'workbench.enableExperiments': false,
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How often a port is tried that somebody else takes between its being found and being used. */
const PORT_ATTEMPTS = 5;
const START_MS = 45_000;

/**
 * VS Code's server in a temp folder of its own, which is its home, too: nothing of the user's is read or touched. One is enough for all
 * tests of a file; each of them opens a page of its own (`Workbench.open`).
 */
export class WorkbenchServer {
  /** Everything that this server reads and writes. */
  readonly root: string;
  /** What is HOME in there. */
  readonly home: string;
  /** A folder to open. */
  readonly folder: string;
  /** What the server said, on both of its outputs. */
  said = '';
  readonly #tools: Tools;
  readonly #options: WorkbenchServerOptions;
  #port = 0;
  #process: ChildProcess | null = null;
  #browser: Promise<Browser> | null = null;

  private constructor(root: string, tools: Tools, options: WorkbenchServerOptions) {
    this.root = root;
    this.home = join(root, 'home');
    this.folder = join(root, 'home', 'work');
    this.#tools = tools;
    this.#options = options;
  }

  static async start(options: WorkbenchServerOptions = {}): Promise<WorkbenchServer> {
    // Short: sockets lie in it.
    const root = await mkdtemp(join(tmpdir(), 'csv-'));
    const server = new WorkbenchServer(root, toolsHere(), options);
    try {
      await server.#prepare();
      await server.#startProcess();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** What everything that this server starts sees, and what a hub in its place has to see. */
  get env(): NodeJS.ProcessEnv {
    const { PATH, LANG } = process.env;
    return {
      PATH: `${dirname(process.execPath)}:${PATH ?? ''}`,
      ...(LANG === undefined ? {} : { LANG }),
      SHELL: '/bin/sh',
      HOME: this.home,
      TMPDIR: join(this.root, 'tmp'),
      XDG_CONFIG_HOME: join(this.home, '.config'),
      XDG_STATE_HOME: join(this.home, '.local', 'state'),
      XDG_DATA_HOME: join(this.home, '.local', 'share'),
      XDG_CACHE_HOME: join(this.home, '.cache'),
      XDG_RUNTIME_DIR: join(this.root, 'run'),
      ...this.#options.env,
    };
  }

  /** `host:port`, which is also how VS Code calls this computer. */
  get authority(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Address of a window with a folder; `null`: an empty window. */
  address(folder: string | null): string {
    const { extensionDevelopmentPath, extensionTestsPath } = this.#options;
    const remote = (path: string): string => `vscode-remote://${this.authority}${path}`;
    const payload = [
      ...(extensionDevelopmentPath === undefined
        ? []
        : [['extensionDevelopmentPath', remote(extensionDevelopmentPath)]]),
      ...(extensionTestsPath === undefined ? [] : [['extensionTestsPath', remote(extensionTestsPath)]]),
    ];
    const query = new URLSearchParams(folder === null ? { ew: 'true' } : { folder });
    if (payload.length > 0) query.set('payload', JSON.stringify([...payload, ['skipWelcome', 'true']]));
    return `http://${this.authority}/?${query.toString()}`;
  }

  /** The browser that shows this server's windows, started with the first one. */
  browser(): Promise<Browser> {
    this.#browser ??= playwright(this.#tools.folder).chromium.launch({
      executablePath: this.#tools.chromium,
      args: CHROMIUM_FLAGS,
    });
    return this.#browser;
  }

  /** Writes user settings anew; a window follows at once. */
  async setSettings(settings: Readonly<Record<string, unknown>>): Promise<void> {
    await writeJson(join(this.#data, 'data', 'User', 'settings.json'), {
      ...QUIET_SETTINGS,
      'security.workspace.trust.enabled': this.#options.workspaceTrust ?? false,
      ...settings,
    });
  }

  /** Writes settings of the computer anew; a window follows at once. */
  async setMachineSettings(settings: Readonly<Record<string, unknown>>): Promise<void> {
    await writeJson(join(this.#data, 'data', 'Machine', 'settings.json'), settings);
  }

  /** Ends the browser and the server with all that they started, and removes the folder. */
  async close(): Promise<void> {
    const browser = this.#browser;
    this.#browser = null;
    // A browser that could not be started is nothing to close; whoever wanted it was told.
    if (browser !== null) await browser.then((started) => started.close()).catch(() => undefined);
    await this.#endProcess();
    // What it was still writing may come between a folder's being emptied and being removed.
    await rm(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  get #data(): string {
    return join(this.root, 'server');
  }

  get #main(): string {
    return join(this.#tools.folder, 'node_modules/code-server/lib/vscode/out/server-main.js');
  }

  get #places(): string[] {
    return ['--server-data-dir', this.#data, '--extensions-dir', join(this.root, 'extensions')];
  }

  async #prepare(): Promise<void> {
    await chmod(this.root, 0o700);
    for (const folder of ['tmp', 'run', 'extensions']) await mkdir(join(this.root, folder), { mode: 0o700 });
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await this.setSettings(this.#options.settings ?? {});
    await this.setMachineSettings({ ...QUIET_MACHINE, ...this.#options.machineSettings });
    for (const file of this.#options.vsix ?? []) await this.#install(file);
  }

  #install(file: string): Promise<void> {
    const words = [this.#main, '--install-extension', file, ...this.#places, '--accept-server-license-terms'];
    return new Promise((resolve, reject) =>
      execFile(process.execPath, words, { env: this.env, cwd: this.root }, (error, stdout, stderr) =>
        error === null ? resolve() : reject(new Error(`${file} was not installed: ${stdout}${stderr}`)),
      ),
    );
  }

  async #startProcess(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.#port = await freePort();
      if (await this.#listens()) return;
      if (attempt === PORT_ATTEMPTS) throw new Error(`VS Code's server did not start: ${this.said}`);
    }
  }

  /** @returns whether the server listens; false when the port was taken meanwhile. */
  async #listens(): Promise<boolean> {
    const { extensionDevelopmentPath, extensionTestsPath } = this.#options;
    // The window's parameters are read with the driver only; without it, notifications pop up as they do for users.
    const driver = extensionDevelopmentPath !== undefined || extensionTestsPath !== undefined;
    const words = [
      ...['--host', '127.0.0.1', '--port', String(this.#port), '--without-connection-token'],
      ...[
        '--accept-server-license-terms',
        '--force-disable-user-env',
        ...(driver ? ['--enable-smoke-test-driver'] : []),
      ],
      ...(this.#options.workspaceTrust ? [] : ['--disable-workspace-trust']),
      ...this.#places,
    ];
    this.said = '';
    // A group of its own: it starts processes that outlive it for a while.
    const server = spawn(process.execPath, [this.#main, ...words], {
      env: this.env,
      cwd: this.root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = server;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`VS Code's server does not start: ${this.said}`)), START_MS);
      const done = (listens: boolean): void => {
        clearTimeout(timer);
        resolve(listens);
      };
      const hear = (text: Buffer): void => {
        this.said += text.toString();
        if (this.said.includes('Extension host agent listening on')) done(true);
      };
      server.stdout.on('data', hear);
      server.stderr.on('data', hear);
      server.once('error', reject);
      server.once('exit', () => done(false));
    });
  }

  async #endProcess(): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (server?.pid === undefined) return;
    const gone = new Promise<void>((resolve) => {
      if (server.exitCode !== null || server.signalCode !== null) resolve();
      else server.once('exit', () => resolve());
    });
    try {
      process.kill(-server.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await gone;
  }
}

async function writeJson(file: string, value: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(value, null, 2));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
