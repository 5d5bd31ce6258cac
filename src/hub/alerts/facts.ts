import { Alternations } from '../../core/alerts/alternation.ts';
import { dueForCleanUp } from '../../core/alerts/clean-up.ts';
import type { CleanUpFacts, HealthFacts, MachineFacts, Space, WatcherFacts } from '../../core/alerts/facts.ts';
import { ENOUGH_SHARE } from '../../core/alerts/disk.ts';
import { FailureStreak } from '../../core/alerts/failure-streak.ts';
import { commandWord } from '../../core/alerts/command-word.ts';
import { CONFLICT_LOOP_MS } from '../../core/safeguards/loop.ts';
import type { Key, MachineName, UnixMs } from '../../core/domain.ts';
import { sshFailureOf } from '../doctor-ssh.ts';
import type { SyncEvent } from '../engine/events.ts';
import type { MachineLink } from '../engine/machines/link.ts';
import { lastComparison } from '../engine/upkeep/comparison.ts';
import { lastRetention } from '../engine/upkeep/retention.ts';
import type { Hub } from '../hub.ts';
import type { Clock } from '../ports/clock.ts';
import { clockFix, watcherAdvice } from '../probe/advice.ts';
import { cleanUpAge, SETTINGS_FILE } from '../probe/clean-up-age.ts';
import { ReplicaUnreachable } from '../replica/replica.ts';
import { SshReplica } from '../ssh/ssh-replica.ts';
import { loneSessions } from './lone-sessions.ts';
import { ASK_EVERY_MS, SlowAnswers } from './slow-answers.ts';
import { watcherFacts, WatchLimits } from './watcher-facts.ts';

/** The next step where another hub syncs the same folder. */
export const OTHER_HUB_NEXT =
  'Stop one of the two hubs (claude-sync down, with the --data-dir of that one); this one goes on by itself within minutes.';

const MOST_SETTINGS_BYTES = 1024 * 1024;
/** Two figures of one disk that were asked one after the other differ by less. */
const SAME_DISK_SHARE = 0.01;

/** Where an alert board has its facts from. */
export interface FactsSource {
  /** What is known now; never waits. */
  collect(): HealthFacts;
  /** Takes note of what the engine did. @returns whether the alerts may be others because of it. */
  note(event: SyncEvent): boolean;
  /** Calls `listener` when something is known that was asked for behind a `collect`. One listener. */
  onAnswer(listener: () => void): void;
}

/** What the facts are collected from. */
export interface HubFactsOptions {
  readonly hub: () => Hub;
  readonly clock: Clock;
  readonly onTrouble: (error: Error) => void;
}

/**
 * The facts that alerts are made of, from the hub and what its engine tells. What takes time (free room, settings of Claude Code, which
 * session lies where) is asked every five minutes in the background, of each machine by itself; until then the last answer counts.
 */
export class HubFacts implements FactsSource {
  readonly #options: HubFactsOptions;
  readonly #alternations = new Alternations();
  readonly #streaks = new Map<MachineName, FailureStreak>();
  readonly #limits = new WatchLimits();
  readonly #spaces: SlowAnswers<Space | null>;
  readonly #days: SlowAnswers<number>;
  readonly #lone: SlowAnswers<ReadonlyMap<MachineName, readonly UnixMs[]>>;
  #listener = (): void => undefined;

  constructor(options: HubFactsOptions) {
    this.#options = options;
    const slow = {
      clock: options.clock,
      onAnswer: (): void => this.#listener(),
      // That a machine is out of reach is told by its link.
      onTrouble: (error: Error): void => void (error instanceof ReplicaUnreachable || options.onTrouble(error)),
    };
    // Whoever makes room wants to see that it helped.
    this.#spaces = new SlowAnswers({
      ...slow,
      goodFor: (space) => (isTight(space) ? ASK_EVERY_MS / 30 : ASK_EVERY_MS),
    });
    this.#days = new SlowAnswers(slow);
    this.#lone = new SlowAnswers(slow);
  }

  onAnswer(listener: () => void): void {
    this.#listener = listener;
  }

  note(event: SyncEvent): boolean {
    const now = this.#options.clock.now();
    if (event.kind === 'taken') {
      this.#streak(event.machine).succeeded();
      if (this.#isDocument(event.key)) this.#alternations.note(event.key, event.machine, now);
      return false;
    }
    if (event.kind === 'delivered') {
      this.#streak(event.machine).succeeded();
      return false;
    }
    if (event.kind === 'retry' || event.kind === 'failed') {
      this.#streak(event.machine).failed(event.reason, now);
      return true;
    }
    return event.kind === 'conflict' || event.kind === 'connection';
  }

  collect(): HealthFacts {
    const hub = this.#options.hub();
    const now = this.#options.clock.now();
    const { store, archive, engine } = hub;
    const links = [...engine.links.values()];
    this.#spaces.keepOnly(new Set(['', ...engine.links.keys()]));
    this.#days.keepOnly(new Set(engine.links.keys()));
    for (const name of this.#streaks.keys()) if (!engine.links.has(name)) this.#streaks.delete(name);
    const hubSpace = this.#spaces.of('', archive, () => archive.space());
    const lone = this.#lone.of('', store, () => loneSessions(store));
    // Until it is done most sessions are on one machine only, and that says nothing.
    const isFirstSync = links.some((link) => link.pairing && link.connected);
    const rows = store.conflicts.list();
    return {
      now,
      machines: links.map((link) => this.#machine(hub, link, { hubSpace, lone: isFirstSync ? null : lone, now })),
      conflicts: rows
        .filter(({ status }) => status === 'open')
        .reverse()
        .map(({ id, key, sides, winner }) => ({ id, key, winner, machines: sides.map(({ machine }) => machine) })),
      recentConflicts: rows.filter(({ at }) => at > now - CONFLICT_LOOP_MS),
      alternations: this.#alternations.at(now),
      approvalsWaiting: store.approvals.list('waiting').length,
      hubSpace,
      diskTrouble: hub.diskTrouble.at(now),
      configuration: hub.configProblem === null ? null : { problem: hub.configProblem.message, file: hub.configFile },
      retention: retentionOf(hub),
      damaged: engine.damage.values(),
      mended: lastComparison(store)?.healed ?? 0,
    };
  }

  #machine(
    hub: Hub,
    link: MachineLink,
    known: {
      readonly hubSpace: Space | null;
      readonly lone: ReadonlyMap<MachineName, readonly UnixMs[]> | null;
      readonly now: UnixMs;
    },
  ): MachineFacts {
    const { name, replica } = link;
    const { status, reason } = link.status;
    // A paused machine is not read, not even for this.
    const canAsk = link.writable;
    const { failed } = hub.engine.counts(link);
    const space = this.#spaces.of(name, replica, canAsk ? () => replica.space() : null);
    const days = this.#days.of(name, replica, canAsk ? () => cleanUpDays(link) : null);
    const isLocal = hub.config.machines[name]?.transport === 'local';
    return {
      name,
      status,
      reason,
      next: nextOf(link),
      failures: {
        givenUp: failed,
        reason: failed > 0 ? firstFailure(link) : null,
        ...this.#streak(name).at(known.now),
      },
      clock: canAsk && link.lastScanAt !== null ? { offsetMs: link.clockOffsetMs, fix: clockFix(link.os) } : null,
      watcher: canAsk ? this.#watcher(hub, link) : null,
      // What is told of the hub's disk need not be told again of a folder on it.
      space: isLocal ? spaceBeside(space, known.hubSpace) : space,
      cleanUp: cleanUpOf(days, known.lone, name, known.now),
    };
  }

  #watcher(hub: Hub, link: MachineLink): WatcherFacts | null {
    const { name, replica, row, status } = link;
    const watch = hub.config.machines[name]?.watch ?? 'auto';
    const trouble = status.status === 'online' ? status.reason : null;
    let install: string | null = null;
    if (replica instanceof SshReplica) {
      const { session } = replica;
      if (session === null) return null;
      install = watcherAdvice(session.facts.os, session.probe, watch).fix;
    }
    return watcherFacts({
      trouble,
      limit: this.#limits.of(name, row.connectionEpoch, trouble),
      install,
      isPolled: replica.watcher === 'poll',
      wantsPoll: watch === 'poll',
    });
  }

  #streak(machine: MachineName): FailureStreak {
    const known = this.#streaks.get(machine);
    if (known !== undefined) return known;
    const streak = new FailureStreak();
    this.#streaks.set(machine, streak);
    return streak;
  }

  /** Conversations and the history grow on several machines in turn, which is what they are for. */
  #isDocument(key: Key): boolean {
    const { merge } = this.#options.hub().rules.ofKey(key);
    return merge !== 'log' && merge !== 'union';
  }
}

/** Of a disk that is told of elsewhere. */
const PLENTY: Space = { freeBytes: 1, totalBytes: 1 };

/** Of a folder on this computer: what counts of it besides the hub's own disk, `null` while that is not known. */
function spaceBeside(space: Space | null, hubSpace: Space | null): Space | null {
  if (hubSpace === null) return null;
  return isSameDisk(space, hubSpace) ? PLENTY : space;
}

function isTight(space: Space | null): boolean {
  return space !== null && space.freeBytes < space.totalBytes * ENOUGH_SHARE;
}

function isSameDisk(a: Space | null, b: Space | null): boolean {
  if (a === null || b === null || a.totalBytes !== b.totalBytes) return false;
  return Math.abs(a.freeBytes - b.freeBytes) <= a.totalBytes * SAME_DISK_SHARE;
}

/** After how many days Claude Code there deletes conversations. */
async function cleanUpDays({ replica }: MachineLink): Promise<number> {
  const look = await replica.look(SETTINGS_FILE);
  if (look.kind === 'unknown') throw new Error(`${replica.machine}: ${SETTINGS_FILE}: ${look.reason}`);
  const chunks: Buffer[] = [];
  if (look.kind === 'file' && look.stat.size < MOST_SETTINGS_BYTES)
    for await (const chunk of replica.read(SETTINGS_FILE, 0, look.stat.size)) chunks.push(chunk);
  return cleanUpAge(chunks.length === 0 ? null : Buffer.concat(chunks).toString('utf8')).days;
}

function cleanUpOf(
  days: number | null,
  lone: ReadonlyMap<MachineName, readonly UnixMs[]> | null,
  name: MachineName,
  now: UnixMs,
): CleanUpFacts | null {
  return days === null || lone === null ? null : dueForCleanUp(lone.get(name) ?? [], days, now);
}

function nextOf(link: MachineLink): string {
  const { status } = link.status;
  if (link.otherHub) return OTHER_HUB_NEXT;
  if (status === 'quarantined' || status === 'paused') return `claude-sync machines resume ${commandWord(link.name)}`;
  const why = link.replica instanceof SshReplica ? sshFailureOf(link.replica) : null;
  return why?.next ?? 'claude-sync doctor names what is wrong; the hub tries again by itself.';
}

function firstFailure(link: MachineLink): string | null {
  for (const pair of link.pairsBelow('')) if (pair.state === 'failed') return pair.reason;
  return null;
}

function retentionOf(hub: Hub): HealthFacts['retention'] {
  const last = lastRetention(hub.store);
  if (last === null) return null;
  const { forced, stillOver, bytesAfter } = last;
  return { forced, stillOver, bytesAfter, ...hub.config.versions };
}
