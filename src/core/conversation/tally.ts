import type { UnixMs } from '../domain.ts';
import type { ConversationRecord, Usage } from './record.ts';
import { titleIn, withTitle, type Titles } from './title.ts';

/** What is known of a session as a whole. Plain data: it is stored, and goes on where the last line ended. */
export interface Tally {
  readonly titles: Titles;
  /** Times of the first and last record, of the recording machine's clock. */
  readonly firstAt: UnixMs | null;
  readonly lastAt: UnixMs | null;
  /** What a person said, counted. */
  readonly prompts: number;
  /** Answers of the API, counted once per message id. */
  readonly answers: number;
  readonly toolCalls: number;
  readonly tokens: Usage;
  /** Answers per model. */
  readonly models: Readonly<Record<string, number>>;
  /** Where the session was started, and where it was last. */
  readonly firstCwd: string | null;
  readonly cwd: string | null;
  /** The branch named last; `null` outside of repositories and with a detached head. */
  readonly gitBranch: string | null;
  /** Of the CLI that wrote last. */
  readonly version: string | null;
  readonly compactions: number;
  /** Lines that are no records: torn, spliced, damaged. */
  readonly damagedLines: number;
}

const NO_TOKENS: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

/** A tally of nothing. */
export const EMPTY_TALLY: Tally = {
  titles: {},
  firstAt: null,
  lastAt: null,
  prompts: 0,
  answers: 0,
  toolCalls: 0,
  tokens: NO_TOKENS,
  models: {},
  firstCwd: null,
  cwd: null,
  gitBranch: null,
  version: null,
  compactions: 0,
  damagedLines: 0,
};

/** Models in a tally; a transcript could name a new one in every line. */
const MOST_MODELS = 20;

/**
 * Takes records in, one after the other. Most change one or two fields, and there are a hundred thousand a second: so it is changed in
 * place, and read by `value`.
 */
export class TallyFold {
  readonly #tally: { -readonly [Field in keyof Tally]: Tally[Field] };
  readonly #priceOf: (messageId: string, usage: Usage) => Usage | null;

  /**
   * @param priceOf what an answer adds to the tokens: one answer is several records that repeat its usage. `null`: the answer was
   *   counted already, and nothing is added.
   */
  constructor(tally: Tally, priceOf: (messageId: string, usage: Usage) => Usage | null) {
    this.#tally = { ...tally };
    this.#priceOf = priceOf;
  }

  get value(): Tally {
    return { ...this.#tally };
  }

  get titles(): Titles {
    return this.#tally.titles;
  }

  get compactions(): number {
    return this.#tally.compactions;
  }

  /** A line that is no record. */
  noteDamage(): void {
    this.#tally.damagedLines += 1;
  }

  add(record: ConversationRecord): void {
    const tally = this.#tally;
    const title = titleIn(record);
    if (title !== null) tally.titles = withTitle(tally.titles, title.source, title.text);
    if (record.at !== null) {
      if (tally.firstAt === null || record.at < tally.firstAt) tally.firstAt = record.at;
      if (tally.lastAt === null || record.at > tally.lastAt) tally.lastAt = record.at;
    }
    const cwd = typeof record.raw['relocatedCwd'] === 'string' ? record.raw['relocatedCwd'] : record.cwd;
    if (cwd !== null) {
      tally.firstCwd ??= cwd;
      tally.cwd = cwd;
    }
    if (record.gitBranch !== null) tally.gitBranch = record.gitBranch === 'HEAD' ? null : record.gitBranch;
    if (record.version !== null) tally.version = record.version;
    if (record.kind === 'prompt') tally.prompts += 1;
    if (record.kind === 'boundary') tally.compactions += 1;
    if (record.kind === 'answer') this.#addAnswer(record);
  }

  #addAnswer({ blocks, messageId, model, usage, uuid }: ConversationRecord): void {
    const tally = this.#tally;
    for (const { kind } of blocks) if (kind === 'tool-use') tally.toolCalls += 1;
    const price = this.#priceOf(messageId ?? uuid ?? '', usage ?? NO_TOKENS);
    if (price === null) return;
    tally.answers += 1;
    tally.tokens = sum(tally.tokens, price);
    // The CLI's own messages (errors, interruptions) come as answers of a model of this name.
    if (model === null || model === '<synthetic>') return;
    const known = tally.models[model];
    if (known === undefined && Object.keys(tally.models).length >= MOST_MODELS) return;
    tally.models = { ...tally.models, [model]: (known ?? 0) + 1 };
  }
}

function sum(one: Usage, other: Usage): Usage {
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    cacheRead: one.cacheRead + other.cacheRead,
    cacheWrite: one.cacheWrite + other.cacheWrite,
  };
}
