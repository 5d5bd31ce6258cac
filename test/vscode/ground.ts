import assert from 'node:assert/strict';
import { join } from 'node:path';
import { isRunning, waitForExit } from '../../src/client/processes.ts';
import { readHubFile } from '../../src/hub/rpc/hub-file.ts';
import { Ground, until, type GroundOptions } from '../black-box/ground.ts';
import { packed } from './packed.ts';
import { Workbench, type WorkbenchOptions } from './workbench.ts';
import { WorkbenchServer, type WorkbenchServerOptions } from './workbench-server.ts';

/** What such a ground is made of. */
export interface VsCodeGroundOptions {
  /** Machines, configuration, and environment of the hub. */
  readonly ground?: GroundOptions;
  /** Settings and environment of VS Code; the package is installed in any case. */
  readonly server?: WorkbenchServerOptions;
  readonly window?: WorkbenchOptions;
  /** Whether a hub runs from the start. Default yes; without, only what the extension starts. */
  readonly hub?: boolean;
}

/**
 * VS Code with the packed extension, beside machines, a configuration and a hub of their own. The extension finds them by
 * the variables that every user has (`CLAUDE_SYNC_CONFIG`, `CLAUDE_SYNC_DATA_DIR`, `CLAUDE_SYNC_SOCKET`), so the hub that it starts and the one that the ground
 * starts are at the same place, and `ground.run` asks either.
 */
export class VsCodeGround {
  readonly ground: Ground;
  readonly server: WorkbenchServer;
  #workbench: Workbench;

  private constructor(ground: Ground, server: WorkbenchServer, workbench: Workbench) {
    this.ground = ground;
    this.server = server;
    this.#workbench = workbench;
  }

  static async open(options: VsCodeGroundOptions = {}): Promise<VsCodeGround> {
    const { vsix } = await packed();
    const ground = await Ground.open(options.ground);
    let server: WorkbenchServer | null = null;
    try {
      server = await WorkbenchServer.start({
        ...options.server,
        vsix: [vsix, ...(options.server?.vsix ?? [])],
        env: {
          CLAUDE_SYNC_CONFIG: ground.configFile,
          CLAUDE_SYNC_DATA_DIR: ground.dataDir,
          CLAUDE_SYNC_SOCKET: join(ground.root, 'hub.sock'),
          ...options.ground?.env,
          ...options.server?.env,
        },
      });
      if (options.hub ?? true) await ground.startHub();
      return new VsCodeGround(ground, server, await Workbench.open(server, options.window));
    } catch (error) {
      await server?.close();
      await ground.close();
      throw error;
    }
  }

  /** The window of now. */
  get workbench(): Workbench {
    return this.#workbench;
  }

  /** Closes the window and opens one that has never been open, as for a next test. */
  async newWindow(options?: WorkbenchOptions): Promise<Workbench> {
    await this.#workbench.close();
    this.#workbench = await Workbench.open(this.server, options);
    return this.#workbench;
  }

  /** Number of the hub's process, whoever started it, as its `hub.json` says; `null` where none runs. */
  async hubPid(): Promise<number | null> {
    const file = await readHubFile(this.ground.dataDir);
    return file !== null && isRunning(file.pid) ? file.pid : null;
  }

  /** Waits until a hub runs that somebody else than the ground started, @returns its number. */
  async waitForHub(notPid: number | null = null): Promise<number> {
    let pid: number | null = null;
    await until('a hub runs', async () => {
      pid = await this.hubPid();
      return pid !== null && pid !== notPid;
    });
    assert.ok(pid !== null);
    return pid;
  }

  /** Ends the hub that runs, if any, and waits until it is gone. */
  async endHub(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.ground.endHub(signal);
    const pid = await this.hubPid();
    if (pid === null) return;
    process.kill(pid, signal);
    assert.ok(await waitForExit(pid, 30_000), `the hub (pid ${pid}) does not end after ${signal}`);
  }

  /** Ends everything and removes it: VS Code first, which could start a hub anew. */
  async close(): Promise<void> {
    await this.server.close();
    await this.endHub('SIGKILL');
    await this.ground.close();
  }
}
