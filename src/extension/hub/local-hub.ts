import { join } from 'node:path';
import { findHub } from '../../client/find-hub.ts';
import { hubRuntime, type HubRuntime } from '../../client/hub-runtime.ts';
import { launchHub } from '../../client/launch-hub.ts';
import { stopHub } from '../../client/stop-hub.ts';
import { SETTINGS } from '../contributions.ts';
import { textSetting } from '../settings.ts';
import type { HubPlace, Visitor } from './hub-place.ts';
import { places } from './places.ts';

/** How long a hub may take to answer after its start, ms. */
const START_MS = 30_000;

/** The hub of this computer: where the extension host runs, which may be at the far end of a remote window. */
export class LocalHub implements HubPlace {
  readonly host = null;
  readonly #visitor: Visitor;
  readonly #extensionPath: string;

  constructor(visitor: Visitor, extensionPath: string) {
    this.#visitor = visitor;
    this.#extensionPath = extensionPath;
  }

  connect(): ReturnType<HubPlace['connect']> {
    return findHub(places().dataDir, this.#visitor);
  }

  async start(): Promise<void> {
    const { command, env } = await nodeForHub();
    const program = { command, args: [hubProgram(this.#extensionPath)] };
    const hub = await launchHub({ places: places(), program, env, client: 'extension', timeoutMs: START_MS });
    hub.close();
  }

  async stop(...[hub]: Parameters<HubPlace['stop']>): Promise<void> {
    await stopHub(hub);
  }
}

/** The command line and the hub, which lie in the extension. */
export function hubProgram(extensionPath: string): string {
  return join(extensionPath, 'dist', 'claude-sync.js');
}

/** What a hub or a command line of this computer is run with. @throws {NoRuntime} */
export function nodeForHub(): Promise<HubRuntime> {
  const { execPath, versions, env } = process;
  const named = textSetting(SETTINGS.hubNodePath);
  const isElectron = versions['electron'] !== undefined;
  return hubRuntime({ execPath, node: versions.node, isElectron, env, ...(named === '' ? {} : { named }) });
}
