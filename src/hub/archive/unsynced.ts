/** Files and folders with changes that are not on stable storage yet, and the syncs under way. */
export class Unsynced {
  readonly #paths = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();

  add(path: string): void {
    this.#paths.add(path);
  }

  /** All that are not safe yet, those under way included. */
  paths(): string[] {
    return [...new Set([...this.#paths, ...this.#underWay.keys()])];
  }

  /** The file is gone. */
  forget(path: string): void {
    this.#paths.delete(path);
  }

  /** Runs `sync` when the file needs it. A sync that began before is waited for, because what it covers is not safe before it ends. */
  async sync(path: string, sync: () => Promise<void>): Promise<void> {
    for (;;) {
      const other = this.#underWay.get(path);
      if (other === undefined) break;
      // Whether it failed is seen from the file being unsynced again.
      await other.catch(() => undefined);
    }
    if (!this.#paths.delete(path)) return;
    const syncing = sync().catch((error: unknown) => {
      this.#paths.add(path);
      throw error;
    });
    this.#underWay.set(path, syncing);
    try {
      await syncing;
    } finally {
      this.#underWay.delete(path);
    }
  }
}
