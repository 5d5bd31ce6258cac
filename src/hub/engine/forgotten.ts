import type { Key } from '../../core/domain.ts';
import { sessionOf, type EngineContext } from './context.ts';

const LIST = 'forgotten.jsonl';
/** Setting that lists the forks of a session: forgetting it forgets them too. */
const forksOf = (session: string): string => `forks/${session}`;

/**
 * Sessions that the user deleted for good. The list is a plain file in the archive, so that it survives the database, and it is
 * asked before any plan: a machine that comes back with the session does not bring it back (docs/sync.md section 9).
 */
export class Forgotten {
  readonly #ctx: EngineContext;
  readonly #sessions = new Set<string>();

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
  }

  async load(): Promise<void> {
    for (const line of await this.#ctx.archive.readList(LIST)) {
      const session = sessionIn(line);
      if (session !== null) this.#sessions.add(session);
    }
  }

  has(key: Key): boolean {
    const session = sessionOf(key);
    return session !== null && this.#sessions.has(session) && this.#ctx.guards.on('forgotten-stays');
  }

  /** Whether anything was ever forgotten. */
  get any(): boolean {
    return this.#sessions.size > 0;
  }

  hasSession(session: string): boolean {
    return this.#sessions.has(session);
  }

  /** A fork is forgotten with the session it was made from. */
  noteFork(session: string, fork: string): void {
    const known = this.#forks(session);
    if (!known.includes(fork)) this.#ctx.store.setSetting(forksOf(session), JSON.stringify([...known, fork]));
  }

  /** All keys of a session and of its forks. */
  keysOf(session: string): Key[] {
    const { heads, pairs } = this.#ctx.store;
    const keys = new Set<Key>();
    for (const one of [session, ...this.#forks(session)]) {
      for (const key of heads.withPrefix(`session/${one}`)) keys.add(key);
      for (const machine of this.#ctx.machines()) {
        for (const pair of pairs.ofMachine(machine.name)) if (sessionOf(pair.key) === one) keys.add(pair.key);
      }
    }
    return [...keys];
  }

  /** Writes the decision down first, then removes heads and versions; the machines follow through their queues. */
  async add(session: string, keys: readonly Key[]): Promise<void> {
    const { archive, store } = this.#ctx;
    for (const one of new Set([session, ...keys.map((key) => sessionOf(key))])) {
      if (one === null) continue;
      await archive.appendToList(LIST, JSON.stringify({ session: one, at: this.#ctx.clock.now() }));
      this.#sessions.add(one);
    }
    for (const key of keys) {
      await this.drop(key);
      for (const machine of this.#ctx.machines()) machine.queue.mark(key, { look: true, urgent: true });
    }
    await store.flush({ durable: true });
  }

  /** What a crash left of sessions whose forgetting had been written down. */
  async finish(): Promise<void> {
    for (const session of this.#sessions) for (const key of this.keysOf(session)) await this.drop(key);
  }

  /** Removes the head and all versions of a key. */
  async drop(key: Key): Promise<void> {
    const { archive, store, lock } = this.#ctx;
    await lock.with(key, async () => {
      const contents = store.versions.list(key).map((row) => row.sha256);
      store.versions.deleteKey(key);
      for (const sha256 of contents) if (!store.versions.holds(sha256)) await archive.drop(sha256);
      if (store.heads.get(key) === undefined) return;
      await archive.remove(key);
      store.heads.delete(key);
      this.#ctx.newGeneration(key);
    });
  }

  #forks(session: string): string[] {
    const text = this.#ctx.store.getSetting(forksOf(session));
    return text === null ? [] : (JSON.parse(text) as string[]);
  }
}

function sessionIn(line: string): string | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'session' in value && typeof value.session === 'string'
      ? value.session
      : null;
  } catch (error) {
    // A torn last line of a list that was being written when the power went: the decision was not acknowledged yet.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
