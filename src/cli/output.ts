import { styleText } from 'node:util';
import type { Failure } from './failure.ts';
import { plainText, safeJson } from '../client/plain-text.ts';
import type { Surroundings } from './surroundings.ts';

/** Colours that the commands use. */
export type Tint = 'green' | 'yellow' | 'red' | 'cyan' | 'dim' | 'bold';

/**
 * Where a command's words go. Results: stdout, as text or, with `--json`, as one JSON value. Notes and errors: stderr; an error
 * with `--json` is one line `{"error": {code, message, unchanged, next}}` there, so that stdout holds results only.
 */
export class Output {
  readonly json: boolean;
  /** Whether notes and progress reach somebody who watches. */
  readonly interactive: boolean;
  readonly #world: Surroundings;
  readonly #color: boolean;

  constructor(world: Surroundings, json: boolean) {
    this.#world = world;
    this.json = json;
    this.interactive = !json && world.stderr.isTTY === true;
    const noColor = world.env['NO_COLOR'];
    this.#color =
      !json && world.stdout.isTTY === true && (noColor === undefined || noColor === '') && world.env['TERM'] !== 'dumb';
  }

  /** Colours text of ours, on a terminal that wants it. */
  tint(tint: Tint, text: string): string {
    return this.#color ? styleText(tint, text, { validateStream: false }) : text;
  }

  /** One line (or several) of human result. The caller has stripped what came from machines (`plainText`, `table`). */
  line(text = ''): void {
    this.#world.stdout.write(`${text}\n`);
  }

  /** The result: as JSON, or as `human` prints it. */
  result(value: unknown, human: () => void): void {
    if (this.json) this.#world.stdout.write(`${safeJson(value, 2)}\n`);
    else human();
  }

  /** One event of a stream of them, as one line of JSON. */
  event(value: unknown): void {
    this.#world.stdout.write(`${safeJson(value)}\n`);
  }

  /** Something to know that is not the result; silent with `--json`. */
  note(text: string): void {
    if (!this.json) this.#world.stderr.write(`${plainText(text)}\n`);
  }

  /** What went wrong, what is unchanged, what to do. */
  fail({ data }: Failure): void {
    if (this.json) {
      this.#world.stderr.write(`${safeJson({ error: data })}\n`);
      return;
    }
    const more = [data.unchanged, data.next].filter((part) => part !== null);
    this.#world.stderr.write(`${plainText([`error: ${data.message}`, ...more].join('\n'))}\n`);
  }
}
