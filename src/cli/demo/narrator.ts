import type { Output } from '../output.ts';

/** A claim of the demo turned out false. */
export class ClaimFailed extends Error {
  constructor(claim: string, detail: string) {
    super(`the demo claimed "${claim}", but ${detail}`);
    this.name = 'ClaimFailed';
  }
}

/** Tells the demo: sentences for people, events (one JSON object per line) for programs. */
export class Narrator {
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  /** A new chapter. */
  chapter(title: string): void {
    if (this.#out.json) this.#out.event({ event: 'chapter', title });
    else this.#out.line(`\n${this.#out.tint('bold', title)}`);
  }

  /** What happens, with its figures for programs. */
  tell(event: string, text: string, figures: Readonly<Record<string, unknown>> = {}): void {
    if (this.#out.json) this.#out.event({ event, ...figures });
    else this.#out.line(`  ${text}`);
  }

  /** States something that was just checked. @throws {ClaimFailed} when it does not hold. */
  claim(claim: string, holds: boolean, otherwise: string): void {
    if (this.#out.json) this.#out.event({ event: 'claim', claim, holds });
    else this.#out.line(`  ${holds ? this.#out.tint('green', '✓') : this.#out.tint('red', '✗')} ${claim}`);
    if (!holds) throw new ClaimFailed(claim, otherwise);
  }
}
