import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromWorker, IndexRole, ToWorker } from './worker-messages.ts';

/** Where a worker finds its code and its index. */
export interface IndexProcessOptions {
  readonly role: IndexRole;
  /** The file of the index. */
  readonly path: string;
  /** Entry in a bundle; from source it lies beside this file. */
  readonly url: URL | undefined;
  readonly onAnew: (reason: string) => void;
}

interface Waiting {
  readonly resolve: (gives: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A worker of the index that is started when it is asked something. One that dies fails what it was asked; the next question starts another.
 *
 * It is a process and no thread: the one that fills the index runs with a lower priority than the sync, all memory that it took is given back
 * when it ends, and whatever kills it on what somebody wrote takes no hub with it.
 */
export class IndexProcess<T extends { [Name in keyof T]: { readonly takes: unknown; readonly gives: unknown } }> {
  readonly #options: IndexProcessOptions;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | null = null;
  #asked = 0;

  constructor(options: IndexProcessOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  ask<Name extends keyof T & string>(task: Name, takes: T[Name]['takes']): Promise<T[Name]['gives']> {
    const child = (this.#child ??= this.#start());
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      child.send({ id, task, takes } satisfies ToWorker, (error) => {
        if (error !== null && this.#waiting.delete(id)) reject(error);
      });
    });
  }

  /** Ends the worker after what it has begun; logs that are being indexed are left where they are. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const ended = once(child, 'exit');
    child.send({ id: 0, task: 'end', takes: null } satisfies ToWorker, () => undefined);
    await ended;
  }

  #start(): ChildProcess {
    const { role, path, url } = this.#options;
    const entry = url ?? new URL('./index-worker.ts', import.meta.url);
    const child = fork(fileURLToPath(entry), [role, path], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'anew') return this.#options.onAnew(message.reason);
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.kind === 'done') waiting?.resolve(message.gives);
      else waiting?.reject(new Error(message.message));
    });
    const died = (error: Error): void => {
      if (this.#child === child) this.#child = null;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    child.on('error', died);
    child.on('exit', (code, signal) => died(new Error(`the worker of the index ended (${signal ?? `code ${code}`})`)));
    return child;
  }
}
