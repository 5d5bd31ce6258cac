import { until } from './ground.ts';
import type { Home } from './home.ts';
import { record } from './records.ts';

/** One session that several machines write to, each line once, and what every home has to hold of it in the end. */
export class Conversation {
  readonly session: string;
  /** Every line that was written, without newlines, in the order of the writing. */
  readonly lines: string[] = [];
  #last: string | null = null;

  constructor(session: string) {
    this.session = session;
  }

  /** Appends one line on a machine, as Claude Code does. `bytes`: about how long it is. */
  async say(home: Home, name: string, bytes = 200): Promise<string> {
    const id = `${this.session}/${name}`;
    const text = `${name} ${'x'.repeat(bytes)}`;
    const line = record({ session: this.session, home, name: id, parent: this.#last, text });
    this.#last = id;
    // Noted first: what fails half-way may be there all the same.
    this.lines.push(line);
    await home.append(home.sessionPath(this.session), line);
    return line;
  }

  /** What a home holds of it, in the folder of the project as that machine names it. */
  async heldBy(home: Home): Promise<Buffer | null> {
    return home.read(home.sessionPath(this.session));
  }

  /** Waits until each of the homes holds a line. */
  async reaches(line: string, homes: Iterable<readonly [string, Home]>, deadlineMs: number): Promise<void> {
    for (const [name, home] of homes) {
      await until(
        `${name} has ${line.slice(-60)}`,
        async () => (await this.heldBy(home))?.includes(`${line}\n`) === true,
        deadlineMs,
      );
    }
  }

  /**
   * Every home holds every line exactly once and nothing else, and all hold the same bytes.
   * @returns what is wrong, `null` when nothing is.
   */
  async trouble(homes: Iterable<readonly [string, Home]>): Promise<string | null> {
    const wrong: string[] = [];
    let first: Buffer | null = null;
    for (const [name, home] of homes) {
      const bytes = await this.heldBy(home);
      if (bytes === null) {
        wrong.push(`${name} does not have it`);
        continue;
      }
      first ??= bytes;
      if (!bytes.equals(first))
        wrong.push(`${name} has other bytes (${bytes.length}) than the first (${first.length})`);
      wrong.push(...this.#wrongLines(bytes).map((what) => `${name}: ${what}`));
    }
    return wrong.length === 0 ? null : `${this.session}: ${wrong.slice(0, 8).join('; ')}`;
  }

  #wrongLines(bytes: Buffer): string[] {
    const counts = new Map<string, number>();
    const text = bytes.toString('utf8');
    for (const line of text.split('\n')) if (line !== '') counts.set(line, (counts.get(line) ?? 0) + 1);
    const wrong = text.endsWith('\n') ? [] : ['the last line is torn'];
    for (const [index, line] of this.lines.entries()) {
      const count = counts.get(line) ?? 0;
      if (count !== 1) wrong.push(`line ${index + 1} of ${this.lines.length} is there ${count} times`);
      counts.delete(line);
    }
    // Where two machines wrote at once, the hub repeats the checkpoint of the side that is to be resumed (docs/sync.md section 4).
    for (const line of counts.keys())
      if (!line.startsWith('{"type":"last-prompt"')) wrong.push(`strange: ${line.slice(0, 80)}`);
    return wrong;
  }
}
