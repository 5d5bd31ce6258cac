import { setTimeout } from 'node:timers/promises';
import { keyFromUserInput, keyForProject } from '../core/keys/key.ts';
import type { Key, MachineName, UnixMs } from '../core/domain.ts';
import { decodeContent } from '../protocol/content.ts';
import { HubError } from '../protocol/errors.ts';
import { METHODS } from '../protocol/methods.ts';
import { NOTIFICATIONS } from '../protocol/notifications.ts';
import { PRODUCT_VERSION } from '../protocol/product-version.ts';
import type { StatusResult } from '../protocol/status.ts';
import type { HubService } from '../protocol/service.ts';
import type { Excerpt } from '../protocol/shared.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { readExcerpt, shareOfMessage } from './bounded-excerpt.ts';
import { examine } from './doctor.ts';
import type { createHistoryService } from './conversations/history-service.ts';
import { ActionRefused } from './engine/user-actions.ts';
import type { MachineLink } from './engine/machines/link.ts';
import type { Health } from './health.ts';
import type { PullService } from './pulls/pull-service.ts';
import type { Hub } from './hub.ts';
import type { createMachineService } from './machine-service.ts';
import type { Clock } from './ports/clock.ts';
import { machineEntry } from './reports.ts';
import { resume } from './resume.ts';
import { headHash, waitReport } from './wait-report.ts';

/** What the service needs besides the hub. */
export interface HubServiceOptions {
  readonly hub: () => Hub;
  readonly pid: number;
  /** See `serviceOf`. */
  readonly service: string | null;
  readonly startedAt: UnixMs;
  readonly socket: string;
  readonly dataDir: string;
  readonly status: () => StatusResult;
  readonly health: Health;
  readonly now: () => UnixMs;
  readonly clock: Clock;
  /** Begins the stop; returns at once. */
  readonly shutdown: (reason: string) => void;
  /** Reads the configuration again and puts it into force. */
  readonly reload: () => Promise<string[]>;
  /** Adding, removing and testing machines. */
  readonly machines: ReturnType<typeof createMachineService>;
  readonly pulls: PullService;
  readonly history: ReturnType<typeof createHistoryService>;
}

/** Longest wait without a time limit is cut into pieces of this length. */
const WAIT_PIECE_MS = 60_000;

/** Everything the hub does for its clients, over the engine. */
export function createHubService(options: HubServiceOptions): HubService {
  const { hub } = options;

  const link = (name: MachineName): MachineLink => {
    const found = hub().engine.links.get(name);
    if (found) return found;
    throw new HubError('not-found', `There is no machine ${name}.`, {
      unchanged: 'Nothing was changed.',
      next: `Machines: ${[...hub().engine.links.keys()].join(', ')}.`,
    });
  };

  const keyOf = async (text: string): Promise<Key> => {
    const links = [...hub().engine.links.values()];
    const claudeDirs = links.map((one) => one.replica.claudeDir);
    const found = keyFromUserInput(text, claudeDirs);
    if (found.kind === 'key') return found.key;
    if (found.kind === 'not-a-key') {
      throw new HubError('not-found', `${text} is no key: ${found.reason}.`, {
        next: 'Keys look like session/<uuid> or agents/a.md.',
      });
    }
    for (const one of links) {
      const key = await hub().engine.placement.keyOf(one, `projects/${found.folder}/${found.rest}`);
      if (key !== null) return key;
    }
    return keyForProject(found.folder, found.rest);
  };

  const excerpt = async (sha256: string | null, limit: number): Promise<Excerpt | null> =>
    sha256 !== null && (await hub().archive.holds(sha256))
      ? readExcerpt(hub().archive.readVersion(sha256), limit)
      : null;

  return {
    'hub/hello': async () => ({
      protocol: PROTOCOL_VERSION,
      version: PRODUCT_VERSION,
      pid: options.pid,
      startedAt: options.startedAt,
      capabilities: [...Object.keys(METHODS), ...Object.keys(NOTIFICATIONS)],
    }),
    'hub/status': async () => options.status(),
    'hub/where': async () => ({
      socket: options.socket,
      dataDir: options.dataDir,
      config: hub().configFile,
      pid: options.pid,
      version: PRODUCT_VERSION,
      ...(options.service === null ? {} : { service: options.service }),
    }),
    'hub/shutdown': async () => {
      options.shutdown('asked to');
      return { pid: options.pid };
    },
    'hub/reload': async () => ({ config: hub().configFile, changes: await options.reload() }),
    'hub/wait': async ({ timeoutMs }, { signal }) => {
      const startedAt = options.now();
      let settled: boolean;
      do {
        const left = timeoutMs === null ? WAIT_PIECE_MS : Math.max(0, timeoutMs - (options.now() - startedAt));
        settled = await hub().engine.wait(Math.min(left, WAIT_PIECE_MS), signal);
        // An engine that is just being replaced answers at once.
        if (!settled) await setTimeout(20);
      } while (!settled && !signal.aborted && (timeoutMs === null || options.now() - startedAt < timeoutMs));
      return { settled, waitedMs: options.now() - startedAt, ...waitReport(hub()) };
    },
    'sync/now': async ({ machine }, { signal }) => {
      const links = machine === undefined ? [...hub().engine.links.values()] : [link(machine)];
      const startedAt = options.now();
      const before = new Map(links.map((one) => [one.name, hub().store.totals.of(one.name).syncs]));
      await Promise.all(links.map((one) => hub().engine.scanAll(one.name)));
      const busy = new Map(links.map((one) => [one.name, one.queue.busy]));
      await hub().engine.wait(WAIT_PIECE_MS, signal);
      return {
        machines: links.map((one) => ({
          name: one.name,
          status: one.status.status,
          files: one.filesKnown,
          changes: Math.max(
            busy.get(one.name) ?? 0,
            hub().store.totals.of(one.name).syncs - (before.get(one.name) ?? 0),
          ),
          durationMs: options.now() - startedAt,
          problem: one.connected ? null : one.status.reason,
        })),
      };
    },
    ...options.machines,
    ...options.pulls.requests,
    ...options.health.requests,
    ...options.history,
    'machines/list': async () => ({
      machines: [...hub().engine.links.values()].map((one) => machineEntry(hub(), one)),
    }),
    'machines/pause': async ({ machine }) => {
      const one = link(machine);
      one.setPaused(true);
      await hub().store.flush();
      return { machine: machineEntry(hub(), one) };
    },
    'machines/resume': ({ machine, mode, preview }) => resume(hub(), link(machine), mode, preview),
    'conflicts/list': async ({ status }) => ({
      conflicts: hub().store.conflicts.list(status === 'all' ? {} : { status: status ?? 'open' }),
    }),
    'conflicts/show': async ({ id }) => {
      const conflict = hub().store.conflicts.get(id);
      if (!conflict)
        throw new HubError('not-found', `There is no conflict ${id}.`, { next: 'claude-sync conflicts list --json' });
      const limit = shareOfMessage(conflict.sides.length + 1);
      const contents = await Promise.all(
        conflict.sides.map(async (side) => ({ machine: side.machine, content: await excerpt(side.sha256, limit) })),
      );
      return { conflict, base: await excerpt(conflict.baseSha256, limit), contents };
    },
    'conflicts/resolve': (params) =>
      acting(async () => {
        const choice = 'keep' in params ? { keep: params.keep } : { merged: decodeContent(params.merged) };
        const conflict = await hub().engine.actions.resolveConflict(params.id, choice);
        return { conflict };
      }),
    'versions/list': async ({ key: text }) => {
      const key = await keyOf(text);
      const head = await headHash(hub(), key);
      const rows = hub().store.versions.list(key);
      if (rows.length === 0 && head === null) {
        throw new HubError('not-found', `The hub knows nothing of ${key}.`, {
          next: 'Paths are meant below claudeDir, for example agents/a.md.',
        });
      }
      const versions = rows.map((row) => ({
        version: row.version,
        key: row.key,
        machine: row.machine,
        at: row.at,
        bytes: row.bytes,
        sha256: row.sha256,
        reason: row.reason,
        isHead: row.sha256 === head,
      }));
      return { key, versions };
    },
    'versions/restore': ({ key: text, version, machine }) =>
      acting(async () => {
        const key = await keyOf(text);
        const restored = await hub().engine.actions.restore(key, { version, machine });
        return {
          key,
          restoredAs: restored.key,
          version: version ?? null,
          bytes: restored.bytes,
          machines: [...restored.to],
        };
      }),
    'sessions/forget': ({ session: text, preview }) =>
      acting(async () => {
        const key = await keyOf(text);
        const session = key.split('/')[1];
        if (!key.startsWith('session/') || session === undefined) {
          throw new HubError('refused', `${text} is not a session.`, {
            unchanged: 'Nothing was changed.',
            next: 'Name it by its uuid.',
          });
        }
        const { actions } = hub().engine;
        const seen = actions.previewForget(session);
        if (!preview) await actions.forget(session);
        return {
          session,
          forgotten: !preview,
          title: null,
          keys: seen.keys,
          versions: seen.versions,
          historyLines: await hub().engine.historyLinesOf(session),
          bytes: seen.bytes,
          machines: seen.machines,
        };
      }),
    'approve/list': async () => ({ approvals: hub().store.approvals.list('waiting') }),
    'approve/show': async ({ id }) => {
      const approval = hub().store.approvals.get(id);
      if (!approval)
        throw new HubError('not-found', `Nothing waits for approval with the number ${id}.`, {
          next: NEXT_STEP['unknown-approval'],
        });
      const head = hub().store.heads.get(approval.key);
      const limit = shareOfMessage(2);
      const current =
        head?.kind === 'file' ? await readExcerpt(hub().archive.read(approval.key, 0, head.size), limit) : null;
      return { approval, current, proposed: await excerpt(approval.sha256, limit) };
    },
    'approve/accept': ({ id, sha256 }) =>
      acting(async () => {
        const row = hub().store.approvals.get(id);
        if (row && sha256 !== undefined && row.sha256 !== sha256) {
          throw new HubError('refused', `Approval ${id} is not what you saw: it was changed since.`, {
            unchanged: 'Nothing was changed.',
          });
        }
        await hub().engine.actions.acceptApproval(id);
        return { approval: approvalOf(hub(), id) };
      }),
    'approve/reject': ({ id }) =>
      acting(async () => {
        hub().engine.actions.rejectApproval(id);
        return { approval: approvalOf(hub(), id) };
      }),
    'doctor/run': async () => ({
      findings: [...(await examine(hub(), options.dataDir, options.clock)), ...options.pulls.findings()],
    }),
  };

  /** Runs what a user asked for; what was decided is on disk when the answer goes out. */
  async function acting<T>(action: () => Promise<T>): Promise<T> {
    try {
      const result = await action();
      await hub().store.flush({ durable: true });
      return result;
    } catch (error) {
      if (!(error instanceof ActionRefused)) throw error;
      const code = error.code.startsWith('unknown') ? 'not-found' : 'refused';
      const message = error.message.replace(/; nothing was changed$/, '');
      throw new HubError(code, message, {
        unchanged: 'Nothing was changed.',
        next: NEXT_STEP[error.code],
        cause: error,
      });
    }
  }
}

/** Where to look after a refusal. */
const NEXT_STEP: Readonly<Record<ActionRefused['code'], string>> = {
  'unknown-key': 'Name a session by its uuid, and a file by its path below claudeDir, for example agents/a.md.',
  'unknown-version': 'claude-sync versions KEY lists what is kept.',
  'unknown-machine': 'claude-sync machines lists them; claude-sync conflicts show ID names the sides of a conflict.',
  'unknown-conflict': 'claude-sync conflicts lists them.',
  'not-open': 'claude-sync conflicts lists those that are open.',
  'not-evicted': 'claude-sync versions lists earlier states; restore brings one back with --version.',
  'say-which': 'claude-sync versions KEY lists what is kept; name one with --version.',
  'unknown-approval': 'claude-sync approve lists what waits.',
};

function approvalOf(hub: Hub, id: number): NonNullable<ReturnType<Hub['store']['approvals']['get']>> {
  const row = hub.store.approvals.get(id);
  if (!row)
    throw new HubError('not-found', `Nothing waits for approval with the number ${id}.`, {
      next: NEXT_STEP['unknown-approval'],
    });
  return row;
}
