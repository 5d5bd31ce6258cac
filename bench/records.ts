/** A small generator of reproducible pseudo-random numbers (xorshift32), so that every run has the same tree. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** An integer from 0 to `below - 1`. */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % below;
  }

  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.below(0xffffffff).toString(16).padStart(8, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}

const WORDS =
  'the build fails because of a missing export in this module so let me look at how it is read and then run all of its tests again `npm test` src/index.ts const result = await'.split(
    ' ',
  );
const TEXT = Array.from({ length: 40_000 }, (_, i) => WORDS[(i * 7 + ((i * i) >> 3)) % WORDS.length]).join(' ');

/** What every record of a session repeats. */
export interface SessionFacts {
  readonly session: string;
  readonly cwd: string;
  readonly dice: Dice;
}

/**
 * One line of a transcript, with its newline, of about `bytes` bytes, in the shape that Claude Code writes: a tree of records
 * with uuids, the working folder in each.
 */
export function recordLine(facts: SessionFacts, parent: string | null, bytes: number): { line: string; uuid: string } {
  const { session, cwd, dice } = facts;
  const uuid = dice.uuid();
  const type = dice.below(2) === 0 ? 'assistant' : 'user';
  const at = dice.below(TEXT.length - 1);
  const rest = Math.floor(bytes) - 330;
  let text = TEXT.slice(at, at + Math.max(8, rest));
  while (text.length < rest) text += TEXT.slice(0, rest - text.length);
  const head = `{"parentUuid":${parent === null ? 'null' : `"${parent}"`},"isSidechain":false,"userType":"external","cwd":"${cwd}"`;
  const line = `${head},"sessionId":"${session}","version":"2.1.330","gitBranch":"main","type":"${type}","message":{"role":"${type}","content":[{"type":"text","text":"${text}"}]},"uuid":"${uuid}","timestamp":"2026-03-01T10:00:00.000Z"}\n`;
  return { line, uuid };
}

/** A whole transcript of about `bytes` bytes in pieces of about a megabyte. */
export function* transcript(facts: SessionFacts, bytes: number): Generator<string> {
  let parent: string | null = null;
  let piece = '';
  for (let written = 0; written < bytes;) {
    const { line, uuid } = recordLine(
      facts,
      parent,
      Math.min(500 + facts.dice.below(7_000), Math.max(400, bytes - written)),
    );
    parent = uuid;
    piece += line;
    written += line.length;
    if (piece.length > 1_000_000) {
      yield piece;
      piece = '';
    }
  }
  if (piece !== '') yield piece;
}
