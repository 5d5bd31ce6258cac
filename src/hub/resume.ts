import { setTimeout } from 'node:timers/promises';
import type { MachineName } from '../core/domain.ts';
import { HubError } from '../protocol/errors.ts';
import type { MachinesResumeResult, ResumeMode } from '../protocol/machines.ts';
import type { MachineLink } from './engine/machines/link.ts';
import type { Hub } from './hub.ts';
import { FileSystemError } from './ports/file-system.ts';
import { ReplicaUnreachable } from './replica/replica.ts';
import { machineEntry } from './reports.ts';
import { planResume } from './resume-plan.ts';

const STILL_STOPPED = 'It is still stopped.';
/** How long the outcome of a resume is waited for, and how often it is looked at, in ms. */
const LOOK_MS = 10_000;
const LOOK_POLL_MS = 20;

/**
 * Ends a pause or a quarantine, or shows what each way of ending it would do (`preview`).
 * @throws {HubError} `refused` when the way does not fit what happened, `unreachable` when that cannot be told.
 */
export async function resume(
  hub: Hub,
  link: MachineLink,
  mode: ResumeMode | null,
  preview: boolean,
): Promise<MachinesResumeResult> {
  const { name, quarantine } = link;
  const sharedWith = quarantine === null ? [] : await othersWithItsMark(hub, link);
  const isCopy = sharedWith.length > 0;
  const fitting: readonly ResumeMode[] = isCopy ? ['new-id'] : ['refill', 'accept-deletes'];
  const modes = mode === null ? fitting : [mode];
  const plans = quarantine === null ? [] : await Promise.all(modes.map((each) => planResume(hub, link, each)));
  const result = { quarantine, plans, sharedWith };
  if (preview) return { ...result, machine: machineEntry(hub, link), resumed: false };
  assertStopped(link);
  if (quarantine !== null) assertFits(name, quarantine, mode, fitting, sharedWith);
  if (mode === 'new-id' && !isCopy) {
    throw new HubError('refused', `The folder of ${name} is no copy of another machine's: it keeps its mark.`, {
      unchanged: 'Nothing was changed.',
    });
  }
  if (hub.config.machines[name]?.paused) {
    throw new HubError('refused', `${name} is paused in the configuration.`, {
      next: 'Take "paused" out of its entry there.',
    });
  }
  if (mode === 'new-id') await giveNewMark(hub, link, sharedWith);
  if (link.row.paused) link.setPaused(false);
  // A copy shares no history with its machine: whatever it had is united, nothing that is missing counts as deleted.
  if (quarantine !== null && mode !== null) link.release(mode === 'new-id' ? 'refill' : mode);
  if (link.otherHub) link.tryAgain();
  await hub.store.flush();
  await assertGoesOn(link, mode);
  return { ...result, machine: machineEntry(hub, link), plans: mode === null ? [] : plans, resumed: true };
}

/** There is nothing to resume about a machine that goes on, or that only cannot be reached. */
function assertStopped(link: MachineLink): void {
  const { name } = link;
  if (link.quarantine !== null || link.paused || link.otherHub) return;
  const { status, reason } = link.status;
  const next = status === 'online' ? `Look at it anew: claude-sync sync ${name}` : 'See claude-sync doctor.';
  throw new HubError('refused', `${name} is not stopped: it is ${status}${reason === null ? '' : ` (${reason})`}.`, {
    unchanged: 'Nothing was changed.',
    next,
  });
}

/** Waits until the machine was looked at: what stopped it may still be there. A long first listing is not waited for. */
async function assertGoesOn(link: MachineLink, mode: ResumeMode | null): Promise<void> {
  const deadline = performance.now() + LOOK_MS;
  while (link.undecided && performance.now() < deadline) await setTimeout(LOOK_POLL_MS);
  const { status, reason } = link.status;
  if (status === 'online') return;
  if (link.undecided) return;
  throw new HubError('refused', `${link.name} was let go on, but is ${status}: ${reason ?? 'no reason known'}`, {
    unchanged:
      mode === 'accept-deletes' || mode === null
        ? 'Nothing was deleted.'
        : 'What was verified there is forgotten, as asked; nothing was deleted.',
    next: nextStep(link, status),
  });
}

function nextStep(link: MachineLink, status: string): string {
  if (link.otherHub) return 'It goes on by itself within minutes after the other hub was stopped.';
  if (status !== 'quarantined') return 'It is tried again by itself; see claude-sync doctor.';
  return `claude-sync machines resume ${link.name} shows what can be done.`;
}

function assertFits(
  name: MachineName,
  quarantine: string,
  mode: ResumeMode | null,
  fitting: readonly ResumeMode[],
  sharedWith: readonly MachineName[],
): void {
  if (mode !== null && (fitting.includes(mode) || mode === 'new-id')) return;
  if (sharedWith.length > 0) {
    throw new HubError(
      'refused',
      `The folder of ${name} is a copy of that of ${sharedWith.join(', ')}: they carry one mark.`,
      {
        unchanged: STILL_STOPPED,
        next: `Give it a mark of its own: claude-sync machines resume ${name} --new-id (nothing is deleted).`,
      },
    );
  }
  throw new HubError('refused', `${name} was stopped by a safeguard: ${quarantine}`, {
    unchanged: STILL_STOPPED,
    next: 'Choose --refill (bring back what is missing, delete nothing) or --accept-deletes.',
  });
}

/** The machines to which the mark in this one's folder belongs. */
async function othersWithItsMark(hub: Hub, link: MachineLink): Promise<MachineName[]> {
  const mark = await markOf(link);
  if (mark === null || mark === undefined) return [];
  return [...hub.store.machines.values()]
    .filter((row) => row.name !== link.name && row.replicaId === mark && hub.engine.links.has(row.name))
    .map((row) => row.name);
}

/** `undefined`: it cannot be read now. */
async function markOf(link: MachineLink): Promise<string | null | undefined> {
  try {
    return await link.replica.readMarker();
  } catch (error) {
    if (error instanceof ReplicaUnreachable || error instanceof FileSystemError) return undefined;
    throw error;
  }
}

/**
 * Replaces the mark of a copied folder. Two entries of the configuration that lead to one and the same folder look just like a copy:
 * then the mark of the other one changes too, and everything is put back as it was.
 */
async function giveNewMark(hub: Hub, link: MachineLink, sharedWith: readonly MachineName[]): Promise<void> {
  const old = await markOf(link);
  const others = sharedWith.flatMap((name) => hub.engine.links.get(name) ?? []);
  const unreadable = (
    await Promise.all(others.map(async (other) => ((await markOf(other)) === undefined ? [other.name] : [])))
  ).flat();
  if (typeof old !== 'string' || unreadable.length > 0) {
    throw new HubError(
      'unreachable',
      `Whether ${link.name} is a copy cannot be told: ${[...unreadable, link.name][0] ?? ''} cannot be read now.`,
      {
        unchanged: STILL_STOPPED,
        next: 'Try again when both can be reached.',
      },
    );
  }
  const mark = hub.newMark();
  if (!(await link.replica.replaceMarker(old, mark))) {
    throw new HubError('refused', `The mark of ${link.name} changed meanwhile.`, {
      unchanged: STILL_STOPPED,
      next: 'Try again.',
    });
  }
  for (const other of others) {
    if ((await markOf(other)) !== mark) continue;
    await link.replica.replaceMarker(mark, old);
    throw new HubError(
      'refused',
      `${link.name} and ${other.name} are one and the same folder (${link.replica.claudeDir}), not a copy.`,
      {
        unchanged: STILL_STOPPED,
        next: 'Take one of the two out of the configuration.',
      },
    );
  }
}
