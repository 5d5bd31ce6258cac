import type { HealthFacts } from '../../../src/core/alerts/facts.ts';
import type { SyncEvent } from '../../../src/hub/engine/events.ts';
import type { FactsSource } from '../../../src/hub/alerts/facts.ts';
import type { Clock } from '../../../src/hub/ports/clock.ts';
import { facts } from '../../core/alerts/well.ts';

/** Facts as a test wants them. */
export class FakeFacts implements FactsSource {
  /** What there is besides that all is well. */
  more: Partial<HealthFacts> = {};
  /** Why there is nothing. */
  failure: Error | null = null;
  looks = 0;
  answered = (): void => undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  collect(): HealthFacts {
    this.looks += 1;
    if (this.failure !== null) throw this.failure;
    return facts({ now: this.#clock.now(), ...this.more });
  }

  note(event: SyncEvent): boolean {
    return event.kind === 'failed';
  }

  onAnswer(listener: () => void): void {
    this.answered = listener;
  }
}
