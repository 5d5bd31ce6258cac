import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METHODS } from '../../../src/protocol/methods.ts';
import type { HubNotification, NotificationSource } from '../../../src/protocol/notifications.ts';
import { HubError } from '../../../src/protocol/errors.ts';
import type { HubService } from '../../../src/protocol/service.ts';
import type { MachineEntry } from '../../../src/protocol/machines.ts';
import type { MachineReport, StatusResult } from '../../../src/protocol/status.ts';
import { PROTOCOL_VERSION } from '../../../src/protocol/version.ts';
import { SILENT_LOG } from '../../../src/hub/rpc/rpc-log.ts';
import { startRpcServer, type RpcServer } from '../../../src/hub/rpc/server.ts';

/** A source that tests speak through. */
export class Announcer implements NotificationSource {
  readonly #listeners = new Set<(notification: HubNotification) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(listener: (notification: HubNotification) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(notification: HubNotification): void {
    for (const listener of this.#listeners) listener(notification);
  }
}

const REPORT: MachineReport = {
  name: 'rog',
  role: 'spoke',
  os: 'linux',
  status: 'online',
  lastSeenAt: 1_700_000_000_000,
  lastSyncAt: 1_700_000_000_000,
  files: 12,
  bytes: 34_567,
  pending: 0,
  watcher: 'chokidar',
  latencyMs: { p50: 4, p99: 19 },
  reason: null,
};

export const MACHINE: MachineEntry = {
  ...REPORT,
  transport: 'local',
  claudeDir: '/home/a/.claude',
  home: '/home/a',
  trust: 'full',
};

export function sampleStatus(): StatusResult {
  return {
    hub: { pid: 4711, version: '0.1.0', startedAt: 1_700_000_000_000, uptimeMs: 61_000 },
    inSync: true,
    machines: [REPORT],
    conflicts: { open: 0 },
    alerts: [],
    totals: { syncs: 3, failed: 0, successRate: 1, bytesSent: 100, bytesReceived: 200, bytesPerSecond: 0 },
  };
}

/** A service that answers what `answers` says and refuses everything else by name. */
export function serviceWith(answers: Partial<HubService>): HubService {
  const refuse = (method: string) => (): Promise<never> =>
    Promise.reject(new HubError('refused', `the test did not expect ${method}`));
  const all = Object.fromEntries(Object.keys(METHODS).map((method) => [method, refuse(method)]));
  return {
    ...(all as unknown as HubService),
    'hub/hello': () =>
      Promise.resolve({
        protocol: PROTOCOL_VERSION,
        version: '0.1.0',
        pid: process.pid,
        startedAt: 1,
        capabilities: [],
      }),
    'hub/status': () => Promise.resolve(sampleStatus()),
    ...answers,
  };
}

/** A folder that only this user can enter, below the temp folder; short, because socket paths are. */
export async function privateFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'csm-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A real server on a real socket, with `answers` behind it. */
export async function startFakeHub(
  folder: string,
  answers: Partial<HubService> = {},
): Promise<{ server: RpcServer; socketPath: string; announcer: Announcer }> {
  const socketPath = join(folder, 'hub.sock');
  const announcer = new Announcer();
  const server = await startRpcServer({
    socketPath,
    service: serviceWith(answers),
    notifications: announcer,
    log: SILENT_LOG,
  });
  return { server, socketPath, announcer };
}

/** Resolves when `holds` does; fails with `what` after 5 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 45_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
