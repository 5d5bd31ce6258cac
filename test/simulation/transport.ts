import { FileSystemError } from '../../src/hub/ports/file-system.ts';
import type { Execute, Request } from './memory-file-system.ts';
import type { Prng } from './prng.ts';
import type { Scheduler } from './scheduler.ts';

/** How a link to a machine behaves. */
export interface LinkOptions {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** Name of the machine, for the trace. */
  readonly label: string;
  /** `local`: a disk in the hub itself, never cut. `remote`: requests and answers travel. */
  readonly kind: 'local' | 'remote';
  /** Mean delay of one way, ms (remote). */
  readonly delayMs: number;
  /** Called around each execution of a request on the disk, so that something else can happen at just that moment. */
  readonly around?: (request: Request, moment: 'before' | 'after') => void;
  /** Called when a new connection has been made. */
  readonly onConnected?: () => void;
}

interface Pending {
  readonly request: Request;
  readonly run: () => void;
  readonly reject: (error: Error) => void;
  executed: boolean;
  done: boolean;
}

/** Requests that travel together. */
interface Packet {
  /** Number of the event in which they were made. */
  readonly madeIn: number;
  readonly steps: (() => void)[];
  readonly answers: (() => void)[];
}

/**
 * The way from the hub to one disk. Requests are executed in the order in which they were made, one after the other, as an
 * SFTP server does; answers come back in that order too. When the link is cut, of the requests that are under way each may
 * have been executed or not, and those that were not may still be executed later, even after the hub is connected again
 * (a stalled server that wakes up with a full socket buffer).
 */
export class Link {
  readonly #options: LinkOptions;
  #epoch = 0;
  #connected: boolean;
  #network = true;
  #pending = new Set<Pending>();
  #lastExecution = 0;
  #lastAnswer = 0;
  #stalledUntil = 0;
  #packet: Packet | null = null;
  /** Told when the connection is lost (not when the hub itself died). */
  onLost: () => void = () => undefined;
  /** Requests that outlived their connection and were executed afterwards. */
  lateExecutions = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#connected = options.kind === 'local';
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Whether the machine can be reached at all at the moment. */
  get network(): boolean {
    return this.#network;
  }

  /** Hands requests to the disk with this link's delays and losses. */
  readonly execute: Execute = (request, run) =>
    this.#options.kind === 'local' ? this.#executeLocally(request, run) : this.#executeRemotely(request, run);

  /** A new connection. Rejects with `disconnected` while the network is down. */
  async connect(): Promise<void> {
    const { scheduler, prng, label, kind, delayMs } = this.#options;
    if (kind === 'local') return;
    const epoch = ++this.#epoch;
    await new Promise<void>((resolve) => {
      scheduler.after(prng.gap(delayMs * 3), `${label} connect`, () => epoch === this.#epoch && resolve());
    });
    if (!this.#network) throw new FileSystemError('disconnected', 'connect', label);
    this.#connected = true;
    this.#lastExecution = this.#lastAnswer = 0;
    this.#options.onConnected?.();
  }

  /** The connection breaks and no new one can be made before `restore`. Whoever waits is told soon, or after a timeout. */
  cut(): void {
    if (this.#options.kind === 'local') return;
    this.#network = false;
    this.#break('told');
  }

  /** The network is there again. */
  restore(): void {
    this.#network = true;
  }

  /** Nothing is executed or answered for `ms`; the connection survives. */
  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#options.scheduler.now + ms);
  }

  /** The hub died: nobody hears an answer any more, but what it had sent may still be executed. */
  hubDied(): void {
    this.#epoch++;
    this.#break('nobody');
    if (this.#options.kind === 'remote') this.#connected = false;
  }

  #break(listener: 'told' | 'nobody'): void {
    const { scheduler, prng, label, kind } = this.#options;
    this.#connected = kind === 'local';
    const stale: Pending[] = [];
    // A prefix of what was sent arrived: a server never executes a request whose predecessor it has not got.
    let arriving = prng.chance(0.7);
    for (const pending of this.#pending) {
      if (!pending.executed && arriving) arriving = prng.chance(0.85);
      if (!pending.executed && arriving) stale.push(pending);
      pending.done = true;
      if (listener === 'told') {
        const error = new FileSystemError('disconnected', pending.request.operation, pending.request.path);
        scheduler.after(prng.int(1, 400), `${label} told of the cut`, () => pending.reject(error));
      }
    }
    this.#pending = new Set();
    if (listener === 'told') scheduler.after(prng.int(1, 2000), `${label} is missed`, () => this.onLost());
    if (stale.length === 0) return;
    const late = kind === 'remote' && prng.chance(0.5) ? prng.int(500, 15_000) : 0;
    scheduler.after(late, `${label} executes ${stale.length} stale requests`, () => {
      for (const pending of stale) {
        if (late > 0 && pending.request.mutates) this.lateExecutions++;
        this.#perform(pending.request, () => {
          try {
            pending.run();
          } catch (error) {
            // Nobody waits for the outcome any more; only failures of the disk may be dropped like this.
            if (!(error instanceof FileSystemError)) throw error;
          }
        });
      }
    });
  }

  #executeLocally<T>(request: Request, run: () => T): Promise<T> {
    const { scheduler, prng, label } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = { request, run: () => void run(), reject, executed: false, done: false };
      this.#pending.add(pending);
      const perform = (): void => {
        if (pending.done) return;
        this.#pending.delete(pending);
        pending.executed = true;
        this.#perform(request, () => settle(run, resolve, reject));
      };
      if (this.#joinPacket(perform)) return;
      const at = Math.max(scheduler.now + (prng.chance(0.2) ? 1 : 0), this.#lastExecution);
      this.#lastExecution = at;
      const packet = this.#newPacket(perform);
      scheduler.after(at - scheduler.now, `${label} ${request.operation} ${request.path}`, () => {
        for (const next of packet.steps) next();
      });
    });
  }

  #executeRemotely<T>(request: Request, run: () => T): Promise<T> {
    const { scheduler, prng, label, delayMs } = this.#options;
    if (!this.#connected) {
      return Promise.reject(new FileSystemError('disconnected', request.operation, request.path));
    }
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = { request, run: () => void run(), reject, executed: false, done: false };
      this.#pending.add(pending);
      let answer: () => void = () => undefined;
      const perform = (): void => {
        if (pending.done) return;
        pending.executed = true;
        this.#perform(request, () =>
          settle(
            run,
            (value) => (answer = () => resolve(value)),
            (error) => (answer = () => reject(error)),
          ),
        );
      };
      const tell = (): void => {
        if (pending.done) return;
        this.#pending.delete(pending);
        answer();
      };
      if (this.#joinPacket(perform, tell)) return;
      const now = scheduler.now;
      this.#lastExecution = Math.max(now + prng.gap(delayMs), this.#lastExecution, this.#stalledUntil);
      const packet = this.#newPacket(perform, tell);
      scheduler.after(this.#lastExecution - now, `${label} ${request.operation} ${request.path}`, () => {
        for (const next of packet.steps) next();
        this.#lastAnswer = Math.max(scheduler.now + prng.gap(delayMs), this.#lastAnswer, this.#stalledUntil);
        scheduler.after(this.#lastAnswer - scheduler.now, `${label} answers`, () => {
          for (const next of packet.answers) next();
        });
      });
    });
  }

  /**
   * Requests that are made in one go mostly travel in one packet, and so do their answers: nothing else gets in between but
   * an ambush, and they cost one event each way. @returns whether there was such a packet to join.
   */
  #joinPacket(step: () => void, answer: () => void = () => undefined): boolean {
    const packet = this.#packet;
    if (packet?.madeIn !== this.#options.scheduler.events || this.#options.prng.chance(0.1)) return false;
    packet.steps.push(step);
    packet.answers.push(answer);
    return true;
  }

  #newPacket(step: () => void, answer: () => void = () => undefined): Packet {
    return (this.#packet = { madeIn: this.#options.scheduler.events, steps: [step], answers: [answer] });
  }

  #perform(request: Request, run: () => void): void {
    this.#options.around?.(request, 'before');
    run();
    this.#options.around?.(request, 'after');
  }
}

function settle<T>(run: () => T, resolve: (value: T) => void, reject: (error: Error) => void): void {
  let value: T;
  try {
    value = run();
  } catch (error) {
    if (!(error instanceof FileSystemError)) throw error;
    return reject(error);
  }
  resolve(value);
}
