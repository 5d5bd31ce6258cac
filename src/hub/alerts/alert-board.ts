import { isDeepStrictEqual } from 'node:util';
import type { Alert, Finding } from '../../core/alerts/alert.ts';
import { byUrgency, follow, isActive } from '../../core/alerts/lifecycle.ts';
import { findingsOf } from '../../core/alerts/rules.ts';
import type { UnixMs } from '../../core/domain.ts';
import { maskSecrets } from '../../core/secrets/mask.ts';
import type { Alert as ShownAlert, AlertRecord, AlertsChanged } from '../../protocol/alerts.ts';
import { HubError } from '../../protocol/errors.ts';
import type { SyncEvent } from '../engine/events.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../store/store.ts';
import type { CommandHook } from './command-hook.ts';
import type { FactsSource } from './facts.ts';

/** Everything is looked at this often at least: some causes come and go without a word. */
export const LOOK_EVERY_MS = 10_000;
/** And this often at most. */
export const LOOK_AT_MOST_MS = 1_000;

/** What the board works with. */
export interface AlertBoardOptions {
  readonly facts: FactsSource;
  readonly store: Pick<Store, 'alerts' | 'flush'>;
  readonly clock: Clock;
  /** For clients; the list of active ones is the whole one. */
  readonly onChanged: (changed: AlertsChanged) => void;
  /** A new alert, or one that got worse. */
  readonly onRaised?: (alert: Alert, event: 'raised' | 'worse') => void;
  readonly onCleared?: (alert: Alert) => void;
  /** The user's own program. */
  readonly hook?: Pick<CommandHook, 'tell' | 'stop'>;
  /** The facts could not be collected; told once until they can. */
  readonly onTrouble: (error: Error) => void;
}

/** The alerts: found by looking at the facts, kept in the database, told once each. */
export class AlertBoard {
  readonly #options: AlertBoardOptions;
  #alerts: ReadonlyMap<string, Alert>;
  #told: readonly ShownAlert[] = [];
  #lookedAt: UnixMs | null = null;
  #cancel: (() => void) | null = null;
  #isSoon = false;
  #isStarted = false;
  #trouble: string | null = null;

  constructor(options: AlertBoardOptions) {
    this.#options = options;
    this.#alerts = new Map([...options.store.alerts.values()].map((alert) => [alert.id, alert]));
    options.facts.onAnswer(() => this.changed());
  }

  /** Looks now, and from now on again and again. */
  start(): void {
    this.#isStarted = true;
    this.look();
  }

  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#cancel?.();
    this.#cancel = null;
    await this.#options.hook?.stop();
  }

  /** What the engine did; cheap. */
  note(event: SyncEvent): void {
    if (this.#options.facts.note(event)) this.changed();
  }

  /** Something may have changed: it is looked at soon, many changes together. */
  changed(): void {
    if (!this.#isStarted || this.#isSoon) return;
    const { clock } = this.#options;
    const since = this.#lookedAt === null ? LOOK_AT_MOST_MS : Math.max(0, clock.now() - this.#lookedAt);
    this.#isSoon = true;
    this.#plan(Math.max(0, LOOK_AT_MOST_MS - since));
  }

  /** Looks at everything now. */
  look(): void {
    const { clock, facts } = this.#options;
    this.#isSoon = false;
    this.#lookedAt = clock.now();
    try {
      const findings = findingsOf(facts.collect(), (id) => this.#standing(id)).map(withoutSecrets);
      this.#trouble = null;
      this.#follow(findings);
    } catch (error) {
      // Nothing is known then; what stands goes on standing.
      const reason = error instanceof Error ? error : new Error(String(error));
      if (reason.message !== this.#trouble) this.#options.onTrouble(reason);
      this.#trouble = reason.message;
    }
    if (this.#isStarted) this.#plan(LOOK_EVERY_MS);
  }

  /** What the user is to see, as it is now: the worst first, then the newest. */
  active(): ShownAlert[] {
    if (this.#isSoon) this.look();
    return this.#sorted().filter(isActive).map(shown);
  }

  /** @param all with those that were dismissed, and those whose cause is gone. */
  list(all: boolean): AlertRecord[] {
    if (this.#isSoon) this.look();
    return this.#sorted()
      .filter((alert) => all || isActive(alert))
      .map(record);
  }

  /** It is shown no more while its cause lasts. On disk when this resolves. @throws {HubError} `not-found` */
  async dismiss(id: string): Promise<AlertRecord> {
    const { store, clock } = this.#options;
    const known = this.#alerts.get(id);
    if (known === undefined)
      throw new HubError('not-found', `There is no alert ${id}.`, {
        unchanged: 'Nothing was changed.',
        next: 'claude-sync alerts --all lists them.',
      });
    const alert = { ...known, dismissedAt: known.dismissedAt ?? clock.now() };
    this.#alerts = new Map(this.#alerts).set(id, alert);
    store.alerts.put(alert);
    this.#tell([], []);
    await store.flush();
    return record(alert);
  }

  #sorted(): Alert[] {
    return [...this.#alerts.values()].sort(byUrgency);
  }

  #standing(id: string): Finding | undefined {
    const alert = this.#alerts.get(id);
    return alert?.clearedAt === null ? alert : undefined;
  }

  #follow(findings: readonly Finding[]): void {
    const { store, clock, hook, onRaised, onCleared } = this.#options;
    const step = follow([...this.#alerts.values()], findings, clock.now());
    this.#alerts = new Map(step.alerts.map((alert) => [alert.id, alert]));
    for (const alert of step.changed) store.alerts.put(alert);
    for (const id of step.forgotten) store.alerts.delete(id);
    for (const event of ['raised', 'worse'] as const)
      for (const alert of step[event]) {
        onRaised?.(alert, event);
        hook?.tell(alert, event);
      }
    for (const alert of step.cleared) onCleared?.(alert);
    this.#tell([...step.raised, ...step.worse], step.cleared);
  }

  #tell(raised: readonly Alert[], cleared: readonly Alert[]): void {
    const active = this.#sorted().filter(isActive).map(shown);
    if (raised.length === 0 && cleared.length === 0 && isDeepStrictEqual(active, this.#told)) return;
    this.#told = active;
    this.#options.onChanged({ raised: raised.map(shown), cleared: cleared.map(shown), active });
  }

  #plan(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#cancel = null;
      this.look();
    });
  }
}

/** Names and reasons come from machines and programs; alerts go to databases, notifications and command lines. */
function withoutSecrets(finding: Finding): Finding {
  const { message, unaffected, next } = finding;
  return {
    ...finding,
    message: maskSecrets(message),
    unaffected: maskSecrets(unaffected),
    next: next === null ? null : maskSecrets(next),
  };
}

function shown({ id, severity, message, unaffected, next, machine, key, raisedAt }: Alert): ShownAlert {
  return { id, severity, message, unaffected, next, machine, key, at: raisedAt };
}

function record(alert: Alert): AlertRecord {
  const { clearedAt, dismissedAt } = alert;
  return { ...shown(alert), clearedAt, dismissedAt };
}
