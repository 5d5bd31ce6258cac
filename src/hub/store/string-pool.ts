/**
 * Makes equal strings one string while the tables are loaded: the same keys, paths and hashes come once per machine,
 * and would otherwise be most of the hub's memory. Thrown away afterwards.
 */
export class StringPool {
  readonly #strings = new Map<string, string>();

  /** The first string equal to `text` that was given. */
  one<T extends string>(text: T): T {
    const known = this.#strings.get(text);
    if (known !== undefined) return known as T;
    this.#strings.set(text, text);
    return text;
  }

  oneOrNull(text: string | null): string | null {
    return text === null ? null : this.one(text);
  }
}
