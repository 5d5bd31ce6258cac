import type { Clock } from '../../src/hub/ports/clock.ts';

interface Timer {
  readonly at: number;
  readonly task: () => void;
  real: NodeJS.Timeout;
}

/** The computer's own time, which a test can put forward: what is due by then runs at once, in order. */
export class JumpClock implements Clock {
  #ahead = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return Date.now() + this.#ahead;
  }

  after(ms: number, task: () => void): () => void {
    const timer: Timer = { at: this.now() + ms, task, real: setTimeout(() => this.#run(timer), ms) };
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer.real);
      this.#timers.delete(timer);
    };
  }

  jump(ms: number): void {
    this.#ahead += ms;
    const due = [...this.#timers].filter(({ at }) => at <= this.now()).sort((a, b) => a.at - b.at);
    for (const timer of due) this.#run(timer);
    for (const timer of this.#timers) {
      clearTimeout(timer.real);
      timer.real = setTimeout(() => this.#run(timer), Math.max(0, timer.at - this.now()));
    }
  }

  #run(timer: Timer): void {
    if (!this.#timers.delete(timer)) return;
    clearTimeout(timer.real);
    timer.task();
  }
}
