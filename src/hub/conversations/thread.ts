import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FromThread, IndexThreadStart, ToThread } from './thread-messages.ts';

/** Where a thread finds its code and its index. */
export interface IndexThreadOptions extends IndexThreadStart {
  /** Entry in a bundle; from source it lies beside this file. */
  readonly url: URL | undefined;
  readonly onAnew: (reason: string) => void;
}

interface Waiting {
  readonly resolve: (gives: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A thread of the index that is started when it is asked something. One that dies fails what it was asked; the next question starts another.
 */
export class IndexThread<T extends { [Name in keyof T]: { readonly takes: unknown; readonly gives: unknown } }> {
  readonly #options: IndexThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #asked = 0;

  constructor(options: IndexThreadOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#worker !== null;
  }

  ask<Name extends keyof T & string>(task: Name, takes: T[Name]['takes']): Promise<T[Name]['gives']> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, task, takes } satisfies ToThread);
    });
  }

  /** Ends the thread after what it has begun; logs that are being indexed are left where they are. */
  async end(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    const ended = once(worker, 'exit');
    worker.postMessage({ id: 0, task: 'end', takes: null } satisfies ToThread);
    await ended;
  }

  #start(): Worker {
    const { role, path, url } = this.#options;
    const worker = new Worker(url ?? new URL('./index-thread.ts', import.meta.url), {
      workerData: { role, path } satisfies IndexThreadStart,
      // What it holds is one line at a time, and lines are long.
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'anew') return this.#options.onAnew(message.reason);
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.kind === 'done') waiting?.resolve(message.gives);
      else waiting?.reject(new Error(message.message));
    });
    const died = (error: Error): void => {
      if (this.#worker === worker) this.#worker = null;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on('error', (error) => died(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => died(new Error('the thread of the index has ended')));
    return worker;
  }
}
