import { resumeCommand } from '../../core/conversation/resume-command.ts';
import type { MachineName, UnixMs } from '../../core/domain.ts';
import { keyForSession } from '../../core/keys/key.ts';
import type { Resume } from '../../protocol/history.ts';
import { standing } from '../engine/level.ts';
import type { MachineLink } from '../engine/machines/link.ts';
import { checkedOut } from '../engine/places/git-remotes.ts';
import type { Hub } from '../hub.ts';

/** A machine that does not answer a question about its checkout within this time is not waited for. */
const CHECKOUT_MS = 2_000;

/**
 * How a session can be resumed on each machine: `claude --resume` in the machine's own folder of the project, once the transcript is there
 * and nobody else has it open.
 * @param gitBranch the branch that the session was on last.
 * @param lastAt its last activity.
 */
export async function resumePlaces(
  hub: Hub,
  session: string,
  { gitBranch, lastAt }: { readonly gitBranch: string | null; readonly lastAt: UnixMs | null },
): Promise<Resume[]> {
  const links = [...hub.engine.links.values()];
  const live = (await liveSessions(links)).get(session) ?? [];
  return Promise.all(
    links.map(async (link): Promise<Resume> => {
      const place = await hub.engine.placement.folderOf(link.name, session);
      const none = { machine: link.name, folder: place?.path ?? null, command: null, shell: null, warnings: [] };
      const reason = obstacle(hub, link, session, live, place, lastAt);
      if (reason !== null || place === null) return { ...none, reason: reason ?? 'its project is not known' };
      const command = resumeCommand(link.os, place.path, session);
      if (command === null)
        return { ...none, reason: 'the name of its folder has characters that no command may hold' };
      const { shell, text } = command;
      const warnings = await differences(link, place.path, gitBranch);
      return { machine: link.name, folder: place.path, command: text, shell, reason: null, warnings };
    }),
  );
}

/** Sessions that a CLI has open, with the machines; machines that cannot say are left out. */
export async function liveSessions(
  links: readonly MachineLink[],
): Promise<ReadonlyMap<string, readonly MachineName[]>> {
  const live = new Map<string, MachineName[]>();
  await Promise.all(
    links.map(async (link) => {
      if (!link.connected) return;
      // A machine that is just being lost says nothing; it is shown as what it is elsewhere.
      const sessions = await link.liveSessions().catch(() => new Set<string>());
      for (const session of sessions) live.set(session, [...(live.get(session) ?? []), link.name]);
    }),
  );
  return live;
}

/** Why it cannot be resumed there now; `null` when it can. */
function obstacle(
  hub: Hub,
  link: MachineLink,
  session: string,
  live: readonly MachineName[],
  place: { readonly path: string; readonly present: boolean } | null,
  lastAt: UnixMs | null,
): string | null {
  if (live.includes(link.name)) return 'it is open there now: go on in that window';
  const [elsewhere] = live;
  if (elsewhere !== undefined)
    return `it is open on ${elsewhere} now${ago(lastAt, hub.engine.now())}: end it there first, or both go on apart`;
  if (place === null) return 'its project is not known there: open Claude Code once in its folder';
  if (!place.present)
    return `its project was not seen there yet: get it to ${place.path} and open Claude Code there once, or name its folder under "projects" in the configuration`;
  const key = keyForSession(session);
  const head = hub.store.heads.get(key);
  const pair = hub.store.pairs.get(link.name, key);
  switch (standing(pair, head, true)) {
    case 'level':
      return null;
    case 'evicted':
      return `it was swept there by Claude Code's clean-up: claude-sync restore ${session} --machine ${link.name}`;
    case 'behind':
      return link.connected
        ? 'it is not synced there yet'
        : `it is not synced there yet: ${link.name} is ${link.status.status}`;
    default:
      return pair?.reason ?? link.heldKeys.get(key) ?? 'it is not synced there';
  }
}

async function differences(link: MachineLink, folder: string, gitBranch: string | null): Promise<string[]> {
  if (!link.connected) return [`${link.name} is ${link.status.status}: what is there now is not known`];
  if (gitBranch === null) return [];
  // It is only a hint: a machine that goes away meanwhile is no reason to fail.
  const head = await within(CHECKOUT_MS, checkedOut(link.replica, folder)).catch(() => null);
  if (head === null) return [];
  if ('commit' in head)
    return [`the checkout there is at commit ${head.commit.slice(0, 12)}, the session was on branch ${gitBranch}`];
  return head.branch === gitBranch
    ? []
    : [`the checkout there is on branch ${head.branch}, the session was on ${gitBranch}`];
}

function within<T>(ms: number, task: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), ms);
    task.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function ago(at: UnixMs | null, now: UnixMs): string {
  if (at === null || at > now) return '';
  const seconds = Math.round((now - at) / 1000);
  if (seconds < 120) return `, last active ${seconds} s ago`;
  return seconds < 7200 ? `, last active ${Math.round(seconds / 60)} min ago` : '';
}
