import { Worker } from 'node:worker_threads';
import type { Look } from '../../../core/domain.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Copied,
  Created,
  CreateJob,
  FetchJob,
  FromCopyThread,
  Job,
  ListJob,
  LookJob,
  ToCopyThread,
} from './messages.ts';
import { unpackListing } from './packed-listing.ts';
import type { FolderListing } from '../scan.ts';

/** A thread without work ends after this time: its memory is for first syncs only. */
const IDLE_MS = 2_000;
/**
 * Another thread is started when this many jobs had to wait: the pages of one that has ended stay with the process for ten seconds, and
 * a few hundred files are not worth it.
 */
const WAITS_FOR_ANOTHER = 40;
const NOT_LOOKED = { kind: 'unknown', reason: 'the thread that looks ended' } as const;
const LEFT = { kind: 'left' } as const;

interface Waiting {
  readonly job: Job;
  readonly resolve: (answer: FromCopyThread) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A few threads that copy many files at a time, for all local machines of a hub together. They are started when there is work and
 * end when there has been none for a while. A thread that dies leaves all files of the job it had, made or not: the ordinary way
 * finds out which. The next job starts another.
 */
export class CopyThreads {
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #onTrouble: (error: Error) => void;
  readonly #threads = new Set<CopyThread>();
  readonly #queue: Waiting[] = [];
  #waits = 0;

  /** @param most how many threads at once; @param url the thread's entry in a bundle, by default the file next to this one. */
  constructor(options: {
    readonly clock: Clock;
    readonly most: number;
    readonly url?: URL | undefined;
    readonly onTrouble: (error: Error) => void;
  }) {
    this.#clock = options.clock;
    this.#onTrouble = options.onTrouble;
    this.#most = options.most;
    this.#url = options.url ?? new URL('./copy-thread.ts', import.meta.url);
  }

  /** Threads that run, or are about to end. */
  get count(): number {
    return this.#threads.size;
  }

  /** Whether a thread is there for the next job. */
  get isRunning(): boolean {
    return [...this.#threads].some((thread) => !thread.isEnding);
  }

  /** Resolves when the threads of now have ended; they do so by themselves when there is no work. */
  async ended(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.exited));
  }

  /** Starts all threads ahead of a job that is sure to come, while there is other work. */
  begin(): void {
    while (this.#threads.size < this.#most) this.#start().rest();
  }

  async create(job: CreateJob): Promise<readonly Created[]> {
    const answer = await this.#run(job);
    return answer?.kind === 'created' ? answer.files : job.files.map(() => LEFT);
  }

  async fetch(job: FetchJob): Promise<readonly Copied[]> {
    const answer = await this.#run(job);
    return answer?.kind === 'fetched' ? answer.files : job.files.map(() => LEFT);
  }

  async look(job: LookJob): Promise<readonly Look[]> {
    const answer = await this.#run(job);
    return answer?.kind === 'seen' ? answer.files : job.files.map(() => NOT_LOOKED);
  }

  /** @returns `null` when the thread died. */
  async list(job: ListJob): Promise<readonly FolderListing[] | null> {
    const answer = await this.#run(job);
    if (answer?.kind !== 'listed' || answer.folders.length !== job.folders.length) return null;
    return answer.folders.map((packed, index) => unpackListing(job.folders[index] ?? '', packed));
  }

  /** @returns `null` when the thread died. */
  async #run(job: Job): Promise<FromCopyThread | null> {
    try {
      return await new Promise((resolve, reject) => {
        this.#queue.push({ job, resolve, reject });
        this.#next();
        if (this.#queue.length > 0) this.#waits += 1;
      });
    } catch (error) {
      this.#onTrouble(error instanceof Error ? error : new Error(String(error)));
      return null;
    }
  }

  #next(): void {
    while (this.#queue.length > 0) {
      const thread = this.#freeThread();
      const waiting = thread && this.#queue.shift();
      if (!waiting) return;
      thread.run(waiting);
    }
  }

  #freeThread(): CopyThread | undefined {
    for (const thread of this.#threads) if (thread.isFree) return thread;
    if (this.#threads.size > 0 && this.#waits < WAITS_FOR_ANOTHER) return undefined;
    if (this.#threads.size >= this.#most) return undefined;
    return this.#start();
  }

  #start(): CopyThread {
    this.#waits = 0;
    const thread = new CopyThread({
      url: this.#url,
      clock: this.#clock,
      onFree: () => this.#next(),
      onEnd: () => {
        this.#threads.delete(thread);
        this.#next();
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}

class CopyThread {
  readonly exited: Promise<unknown>;
  readonly #worker: Worker;
  readonly #clock: Clock;
  #waiting: Waiting | null = null;
  #number = 0;
  #hasEnded = false;
  #isEnding = false;
  #cancelEnd: (() => void) | null = null;

  constructor(options: {
    readonly url: URL;
    readonly clock: Clock;
    readonly onFree: () => void;
    readonly onEnd: () => void;
  }) {
    this.#clock = options.clock;
    this.#worker = new Worker(options.url);
    this.exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.on('message', (answer: FromCopyThread) => {
      const waiting = this.#waiting;
      if (answer.number !== this.#number || waiting === null) return;
      this.#waiting = null;
      this.rest();
      waiting.resolve(answer);
      options.onFree();
    });
    const ended = (error: Error): void => {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      this.#isEnding = true;
      this.#cancelEnd?.();
      this.#waiting?.reject(error);
      this.#waiting = null;
      options.onEnd();
    };
    this.#worker.on('error', (error) => ended(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => ended(new Error(`the thread that copies files ended with code ${code}`)));
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  get isFree(): boolean {
    return this.#waiting === null && !this.#isEnding;
  }

  /** Waits for work for a while. Work under way keeps the process alive, an idle thread does not. */
  rest(): void {
    this.#worker.unref();
    this.#cancelEnd = this.#clock.after(IDLE_MS, () => this.#end());
  }

  #end(): void {
    // Before it is asked to: a job that came behind would be lost.
    this.#isEnding = true;
    this.#worker.postMessage('end' satisfies ToCopyThread);
  }

  run(waiting: Waiting): void {
    this.#cancelEnd?.();
    this.#cancelEnd = null;
    this.#waiting = waiting;
    this.#number += 1;
    this.#worker.ref();
    this.#worker.postMessage({ number: this.#number, ...waiting.job } satisfies ToCopyThread);
  }
}
