import type { MachineName, UnixMs } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { HUB_MARK_FILE } from './private-folder.ts';
import { discardTemp, replaceOwn, writeTemp } from './temps.ts';
import type { TreeContext } from './tree-context.ts';

/** A mark that was not renewed for this long is that of a hub that is gone. It is renewed every minute. */
export const MARK_STALE_MS = 180_000;

/** Who a hub is. */
export interface HubIdentity {
  /** Made once for each data folder. */
  readonly id: string;
  /** Name of its computer. */
  readonly host: string;
  readonly pid: number;
  /** Whether the process `pid` of `host` is known to have ended; false where that cannot be told. */
  readonly isGone: (host: string, pid: number) => boolean;
}

/** What a hub writes into a folder that it syncs. */
interface Mark {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** The writing hub's clock. */
  readonly renewedAt: UnixMs;
}

/**
 * Another hub, with a data folder of its own, syncs this folder. Two hubs take each other's writes for the user's: lines would end up
 * in different orders for good. Nothing was read or written.
 */
export class OtherHubPresent extends Error {
  readonly machine: MachineName;

  constructor(machine: MachineName, other: { readonly host: string; readonly pid: number }) {
    super(`another hub on ${other.host} (pid ${other.pid}) syncs this folder; stop one of them`);
    this.name = 'OtherHubPresent';
    this.machine = machine;
  }
}

/**
 * The mark by which hubs keep out of each other's way: `.claude-sync/hub.json` in every folder that a hub syncs. Whoever is there first
 * stays; two that begin in the same moment notice it at the first renewal, and one goes on.
 */
export class HubMark {
  readonly #context: TreeContext;
  readonly #hub: HubIdentity;
  /** Another hub's mark took the place of ours: its time says nothing then (clocks differ), only whether it goes on being renewed. */
  #rival: { readonly text: string; readonly since: UnixMs } | null = null;

  constructor(context: TreeContext, hub: HubIdentity) {
    this.#context = context;
    this.#hub = hub;
  }

  /** Before anything in the folder is touched. @throws {OtherHubPresent} @throws {FileSystemError} */
  async claim(): Promise<void> {
    const found = await this.#read();
    if (found !== null && this.#isAlive(found)) throw new OtherHubPresent(this.#context.machine, found.mark);
    this.#rival = null;
    await this.#write();
    await this.#assertOurs();
  }

  /** @throws {OtherHubPresent} @throws {FileSystemError} */
  async renew(): Promise<void> {
    await this.#assertOurs();
    await this.#write();
  }

  /** Lets another hub begin at once. @throws {FileSystemError} */
  async withdraw(): Promise<void> {
    if ((await this.#read())?.mark.id === this.#hub.id) await discardTemp(this.#context, HUB_MARK_FILE);
  }

  async #assertOurs(): Promise<void> {
    const found = await this.#read();
    if (found === null || found.mark.id === this.#hub.id) return;
    // Somebody wrote it after us, so it lives, whatever its clock says.
    this.#rival = { text: found.text, since: this.#context.clock.now() };
    throw new OtherHubPresent(this.#context.machine, found.mark);
  }

  #isAlive({ mark, text }: { readonly mark: Mark; readonly text: string }): boolean {
    if (mark.id === this.#hub.id || this.#hub.isGone(mark.host, mark.pid)) return false;
    const now = this.#context.clock.now();
    if (this.#rival !== null) {
      if (this.#rival.text !== text) this.#rival = { text, since: now };
      if (now - this.#rival.since < MARK_STALE_MS) return true;
    }
    return Math.abs(now - mark.renewedAt) < MARK_STALE_MS;
  }

  /** A file that is no mark (cut off, somebody's own) counts as none. */
  async #read(): Promise<{ readonly mark: Mark; readonly text: string } | null> {
    const text = await this.#text();
    const mark = text === null ? null : parsed(text);
    return text === null || mark === null ? null : { mark, text };
  }

  async #text(): Promise<string | null> {
    try {
      const file = await this.#context.fs.open(HUB_MARK_FILE, 'read');
      try {
        return (await file.read(0, 4_096)).toString('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      if (FileSystemError.is(error, 'missing', 'not-a-file')) return null;
      throw error;
    }
  }

  async #write(): Promise<void> {
    const { id, host, pid } = this.#hub;
    const now = this.#context.clock.now();
    const mark: Mark = { id, host, pid, renewedAt: now };
    const bytes = Buffer.from(`${JSON.stringify(mark)}\n`);
    const request = {
      expect: { kind: 'absent' },
      size: bytes.length,
      mtimeMs: now,
      executable: false,
      how: 'exchange',
      content: async function* () {
        yield bytes;
      },
    } as const;
    try {
      const temp = await writeTemp(this.#context, request, false);
      try {
        await replaceOwn(this.#context, temp.path, HUB_MARK_FILE);
      } catch (error) {
        if (!FileSystemError.is(error, 'disconnected')) await discardTemp(this.#context, temp.path);
        throw error;
      }
    } catch (error) {
      // A machine with a full disk is still read.
      if (!FileSystemError.is(error, 'no-space')) throw error;
    }
  }
}

function parsed(text: string): Mark | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { id, host, pid, renewedAt } = value as Record<string, unknown>;
  if (typeof id !== 'string' || typeof host !== 'string' || typeof pid !== 'number' || typeof renewedAt !== 'number')
    return null;
  // Shown to the user.
  return { id, host: host.replace(/[^\w.-]/g, '?').slice(0, 64), pid: Math.trunc(pid), renewedAt };
}
