import type { MachineName, MachineOs } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { ReplicaUnreachable, type Replica } from '../replica/replica.ts';
import { closeSession, type MachineFacts, type SshSession } from './session.ts';

/** What a machine over SSH is made of. */
export interface SshReplicaOptions {
  readonly machine: MachineName;
  /** As far as it is known before the first connection. */
  readonly before: Omit<MachineFacts, 'maxWrite' | 'start'>;
  /** Makes a new connection; `onLost` is told when it ends by itself, and aborting gives it up before. */
  readonly open: (onLost: (reason: Error) => void, signal: AbortSignal) => Promise<SshSession>;
  /** The replica of a tree; its file systems use `channel`, whatever connection there is. */
  readonly build: (facts: MachineFacts, session: () => SshSession, onProgress: (bytes: number) => void) => Replica;
}

/**
 * A machine over SSH: the replica of its tree, with a connection below it that comes and goes. What is under way when a connection ends
 * fails, and everything fails until the next `connect`.
 */
export class SshReplica implements Replica {
  readonly machine: MachineName;
  readonly answersLate = true;
  readonly #options: SshReplicaOptions;
  #session: SshSession | null = null;
  #built: { readonly facts: MachineFacts; readonly replica: Replica } | null = null;
  #onLost: (error: ReplicaUnreachable) => void = () => undefined;
  #onProgress: (bytes: number) => void = () => undefined;
  readonly #closing = new AbortController();
  #failure: Error | null = null;

  constructor(options: SshReplicaOptions) {
    this.#options = options;
    this.machine = options.machine;
  }

  get os(): MachineOs {
    return this.#facts.os;
  }

  get home(): string {
    return this.#facts.home;
  }

  get claudeDir(): string {
    return this.#facts.claudeDir;
  }

  get watcher(): string {
    return this.#built?.replica.watcher ?? 'none';
  }

  get longestAppend(): number {
    return this.#built?.replica.longestAppend ?? Infinity;
  }

  get manyAtOnce(): number {
    return this.#built?.replica.manyAtOnce ?? 1;
  }

  /** The connection that there is now. */
  get session(): SshSession | null {
    return this.#session;
  }

  /** Why there is none: what ended the last one, or kept the last try from making one. `null` while there is one. */
  get failure(): Error | null {
    return this.#session === null ? this.#failure : null;
  }

  onLost(listener: (error: ReplicaUnreachable) => void): void {
    this.#onLost = listener;
  }

  onProgress(listener: (bytes: number) => void): void {
    this.#onProgress = listener;
  }

  async connect(): Promise<void> {
    await this.#drop();
    const session = await this.#opened();
    if (this.#closing.signal.aborted) return closeSession(session);
    this.#session = session;
    try {
      if (this.#built === null || !isSame(this.#built.facts, session.facts)) {
        const replica = this.#options.build(
          session.facts,
          () => this.#present(),
          (bytes) => this.#onProgress(bytes),
        );
        this.#built = { facts: session.facts, replica };
      }
      await this.#built.replica.connect();
      // Not before: while one is being made the reason why there is none stays the last one.
      this.#failure = null;
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      await this.#drop();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new ReplicaUnreachable(this.machine, 'the hub let it go'));
    await this.#drop();
  }

  async #opened(): Promise<SshSession> {
    let current: SshSession | null = null;
    let isLost = false;
    const lost = (reason: Error): void => {
      isLost = true;
      if (current === null || this.#session !== current) return;
      this.#session = null;
      this.#failure = reason;
      closeSession(current);
      this.#onLost(new ReplicaUnreachable(this.machine, reason.message, reason));
    };
    try {
      current = await this.#options.open(lost, this.#closing.signal);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      if (error instanceof ReplicaUnreachable) throw error;
      throw new ReplicaUnreachable(this.machine, error instanceof Error ? error.message : String(error), error);
    }
    if (!isLost) return current;
    closeSession(current);
    throw new ReplicaUnreachable(this.machine, 'the connection ended while it was made');
  }

  /** Ends the watch and the connection that there are. */
  async #drop(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (session !== null) closeSession(session);
    await this.#built?.replica.close();
  }

  get #facts(): Omit<MachineFacts, 'maxWrite' | 'start'> {
    return this.#built?.facts ?? this.#options.before;
  }

  #present(): SshSession {
    if (this.#session === null) throw new FileSystemError('disconnected', 'use', '', new Error('not connected'));
    return this.#session;
  }

  get #tree(): Replica {
    if (this.#built === null || this.#session === null) throw new ReplicaUnreachable(this.machine, 'not connected');
    return this.#built.replica;
  }

  // --- the tree ----------------------------------------------------------------------------------------------------------

  async renewHubMark(): Promise<void> {
    return this.#tree.renewHubMark();
  }
  async withdrawHubMark(): Promise<void> {
    return this.#tree.withdrawHubMark();
  }
  async clockOffset(): Promise<number> {
    return this.#tree.clockOffset();
  }
  async readMarker(): ReturnType<Replica['readMarker']> {
    return this.#tree.readMarker();
  }
  async writeMarker(...words: Parameters<Replica['writeMarker']>): ReturnType<Replica['writeMarker']> {
    return this.#tree.writeMarker(...words);
  }
  async replaceMarker(...words: Parameters<Replica['replaceMarker']>): ReturnType<Replica['replaceMarker']> {
    return this.#tree.replaceMarker(...words);
  }
  async watch(...words: Parameters<Replica['watch']>): ReturnType<Replica['watch']> {
    return this.#tree.watch(...words);
  }
  async look(...words: Parameters<Replica['look']>): ReturnType<Replica['look']> {
    return this.#tree.look(...words);
  }
  async lookMany(...words: Parameters<Replica['lookMany']>): ReturnType<Replica['lookMany']> {
    return this.#tree.lookMany(...words);
  }
  async scan(...words: Parameters<Replica['scan']>): ReturnType<Replica['scan']> {
    return this.#tree.scan(...words);
  }
  async *read(...words: Parameters<Replica['read']>): AsyncGenerator<Buffer> {
    yield* this.#tree.read(...words);
  }
  async append(...words: Parameters<Replica['append']>): ReturnType<Replica['append']> {
    return this.#tree.append(...words);
  }
  async put(...words: Parameters<Replica['put']>): ReturnType<Replica['put']> {
    return this.#tree.put(...words);
  }
  async createMany(...words: Parameters<Replica['createMany']>): ReturnType<Replica['createMany']> {
    return this.#tree.createMany(...words);
  }
  async fetchMany(...words: Parameters<Replica['fetchMany']>): ReturnType<Replica['fetchMany']> {
    return this.#tree.fetchMany(...words);
  }
  async remove(...words: Parameters<Replica['remove']>): ReturnType<Replica['remove']> {
    return this.#tree.remove(...words);
  }
  async move(...words: Parameters<Replica['move']>): ReturnType<Replica['move']> {
    return this.#tree.move(...words);
  }
  async lock(...words: Parameters<Replica['lock']>): ReturnType<Replica['lock']> {
    return this.#tree.lock(...words);
  }
  async lateWrites(): ReturnType<Replica['lateWrites']> {
    return this.#tree.lateWrites();
  }
  async *readUndo(...words: Parameters<Replica['readUndo']>): AsyncGenerator<Buffer> {
    yield* this.#tree.readUndo(...words);
  }
  acknowledgeUndo(...words: Parameters<Replica['acknowledgeUndo']>): void {
    this.#tree.acknowledgeUndo(...words);
  }
  async dropUndo(...words: Parameters<Replica['dropUndo']>): ReturnType<Replica['dropUndo']> {
    return this.#tree.dropUndo(...words);
  }
  async expireUndo(...words: Parameters<Replica['expireUndo']>): ReturnType<Replica['expireUndo']> {
    return this.#tree.expireUndo(...words);
  }
  async liveSessions(...words: Parameters<Replica['liveSessions']>): ReturnType<Replica['liveSessions']> {
    return this.#tree.liveSessions(...words);
  }
  async hashes(paths: readonly string[]): Promise<ReadonlyMap<string, string> | null> {
    return (await this.#tree.hashes?.(paths)) ?? null;
  }
  async readOutside(...words: Parameters<Replica['readOutside']>): ReturnType<Replica['readOutside']> {
    return this.#tree.readOutside(...words);
  }
  async space(): ReturnType<Replica['space']> {
    return this.#tree.space();
  }
}

function isSame(a: MachineFacts, b: MachineFacts): boolean {
  return (
    a.os === b.os &&
    a.home === b.home &&
    a.claudeDir === b.claudeDir &&
    a.start === b.start &&
    a.maxWrite === b.maxWrite
  );
}
