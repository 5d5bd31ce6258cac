import { createHash } from 'node:crypto';

/**
 * After so long in reach of a running hub, content has to have been noticed (docs/sync.md sections 3.7 and 8), virtual ms: the
 * rhythm of scans, a stalled link, and the time until two looks agree.
 */
export const NOTICED_AFTER_MS = 35_000;

/** What the hub's disk was given is on it after this time, whoever loses power (the rhythm of kernels), virtual ms. */
export const WRITTEN_BACK_AFTER_MS = 30_000;

/** A write of the hub that was under way cannot have known what was written within this time before it, virtual ms. */
const UNDER_WAY_MS = 15_000;

/** Between the hub's last look at a file and its write lies at most this, virtual ms. */
const UNDER_HANDS_MS = 250;

/** One distinct line that programs wrote into one log. */
export interface WrittenLine {
  /** `session/<uuid>`, `session/<uuid>/<path>`, `history`. */
  readonly log: string;
  readonly text: string;
  readonly machine: string;
  readonly at: number;
  /** How often programs wrote exactly these bytes into this log. */
  writes: number;
  /** Why the product cannot be held to it, `null` when it can. */
  excuse: string | null;
}

/** A content that a user's program gave a document. */
interface DocumentContent {
  readonly hash: string;
  readonly since: number;
}

/** Content that has to be found at the end. */
export interface OwedContent {
  readonly document: string;
  readonly machine: string;
  readonly hash: string;
  readonly why: string;
  /** When it was removed or replaced; a power loss soon after may take the hub's copy along. */
  readonly endedAt: number;
}

/**
 * Everything that was ever written in a simulated world, and for how long the hub could have seen it. The ledger knows nothing
 * of the product: models tell it what programs and users did, and the oracle holds the product to it.
 */
export class Ledger {
  readonly #now: () => number;
  readonly #lines = new Map<string, Map<string, WrittenLine>>();
  readonly #known = new Map<string, Set<string>>();
  readonly #documents = new Map<string, DocumentContent>();
  readonly #reachableSince = new Map<string, number | null>();
  readonly #unknownUntil = new Map<string, number>();
  readonly #unreadableUntil = new Map<string, number>();
  readonly #withdrawn = new Map<string, number>();
  #hubSince: number | null = null;
  /** Hashes of all contents that documents ever had by a program's hand. */
  readonly contents = new Set<string>();
  /** All lines that documents ever had: a merge may recombine them but not invent any. */
  readonly documentLines = new Set<string>();
  /** Portable names of all documents, sidecars and blobs that programs ever made. */
  readonly documentNames = new Set<string>();
  readonly owed: OwedContent[] = [];
  /**
   * Uuids of records that a program wrote into a file which was no longer the one under its name, or could not write at all.
   * Their children may be seen before them or without them: the program itself made the gap.
   */
  readonly displaced = new Set<string>();
  /** Marker -> machine it was planted on. */
  readonly secrets = new Map<string, string>();
  readonly forgottenSessions = new Set<string>();
  /** `<machine> <log or document>` that a program or user removed there. */
  readonly removals = new Set<string>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A whole line (without its newline) reached the disk of `machine`. */
  lineWritten(machine: string, log: string, text: string): WrittenLine {
    let lines = this.#lines.get(log);
    if (!lines) this.#lines.set(log, (lines = new Map()));
    let line = lines.get(text);
    if (line) line.writes++;
    else lines.set(text, (line = { log, text, machine, at: this.#now(), writes: 1, excuse: null }));
    this.remember(log, text);
    return line;
  }

  /** A line that may appear, though nobody is owed it (the torn start of one, for example). */
  remember(log: string, text: string): void {
    let known = this.#known.get(log);
    if (!known) this.#known.set(log, (known = new Set()));
    known.add(text);
  }

  /** Programs of `machine` took lines away there; those that the hub had no time to notice are nobody's fault. */
  linesRemoved(machine: string, log: string, texts: Iterable<string>, how: string): void {
    for (const text of texts) {
      const line = this.#lines.get(log)?.get(text);
      if (line && line.machine === machine && !this.#noticed(machine, line.at))
        line.excuse ??= `${how} before it could be noticed`;
    }
  }

  /** A program of `machine` took a message out of its file. */
  messageWithdrawn(machine: string, uuid: string): void {
    this.#withdrawn.set(`${machine} ${uuid}`, this.#now());
  }

  /** Whether that happened there so short a time ago that a write of the hub was under way then. */
  isJustWithdrawn(machine: string, uuid: string): boolean {
    return this.#now() - (this.#withdrawn.get(`${machine} ${uuid}`) ?? -Infinity) < UNDER_HANDS_MS;
  }

  /** A program of `machine` gave `document` this content. */
  documentWritten(machine: string, document: string, bytes: Buffer): void {
    this.#contentEnds(machine, document, 'replaced by its user');
    const hash = hashOf(bytes);
    this.contents.add(hash);
    this.documentNames.add(document);
    for (const line of bytes.toString('latin1').split('\n')) this.documentLines.add(line);
    this.#documents.set(`${machine} ${document}`, { hash, since: this.#now() });
  }

  /** A program or the user removed `document` on `machine`. */
  documentRemoved(machine: string, document: string): void {
    this.#contentEnds(machine, document, 'removed by its user');
    this.removals.add(`${machine} ${document}`);
  }

  /** The hub put something else in the place of a document: what was there has to be kept, however young it was. */
  documentTakenByHub(machine: string, document: string): void {
    const content = this.#documents.get(`${machine} ${document}`);
    if (!content) return;
    this.#documents.delete(`${machine} ${document}`);
    this.owed.push({ document, machine, hash: content.hash, why: 'the hub replaced or removed it', endedAt: 0 });
  }

  /** The hub put a document where it had been: what it had taken is there again, as its user left it. */
  documentPutBack(machine: string, document: string, bytes: Buffer): void {
    const hash = hashOf(bytes);
    const at = this.owed.findLastIndex(
      (owed) => owed.machine === machine && owed.document === document && owed.endedAt === 0,
    );
    if (at < 0 || this.owed[at]?.hash !== hash) return;
    this.owed.splice(at, 1);
    this.#documents.set(`${machine} ${document}`, { hash, since: this.#now() });
  }

  /** What lies in documents now has to be found as well. Call it once, when nothing changes any more. */
  closeDocuments(isReachable: (machine: string) => boolean): void {
    for (const [place, content] of this.#documents) {
      const [machine, document] = [place.slice(0, place.indexOf(' ')), place.slice(place.indexOf(' ') + 1)];
      if (isReachable(machine))
        this.owed.push({ document, machine, hash: content.hash, why: 'it is there at the end', endedAt: 0 });
    }
  }

  /** From now on the hub cannot see `machine` (`hub`: anything). */
  outOfReach(machine: string): void {
    if (machine === 'hub') this.#hubSince = null;
    else this.#reachableSince.set(machine, null);
  }

  /** A folder of `machine` cannot be read for so long, ms. */
  unreadableFor(machine: string, ms: number): void {
    this.#unreadableUntil.set(machine, Math.max(this.#unreadableUntil.get(machine) ?? 0, this.#now() + ms));
  }

  /** From now on it can. */
  withinReach(machine: string): void {
    if (machine === 'hub') this.#hubSince = this.#now();
    else this.#reachableSince.set(machine, this.#now());
  }

  /**
   * The hub's computer lost power: what it had taken in a short while ago and no machine has any more may be gone with it.
   * What the hub itself took away it had to make durable first, so that is still owed.
   */
  powerLost(stillThere: (line: WrittenLine) => boolean): void {
    for (const line of this.lines()) {
      if (this.#now() - line.at < NOTICED_AFTER_MS + WRITTEN_BACK_AFTER_MS && !stillThere(line))
        line.excuse ??= 'gone from the machines just before the power loss';
    }
    const stillOwed = this.owed.filter(
      ({ endedAt }) => this.#now() - endedAt >= NOTICED_AFTER_MS + WRITTEN_BACK_AFTER_MS,
    );
    this.owed.splice(0, this.owed.length, ...stillOwed);
  }

  /**
   * The hub lost what it knew of the copies of `log` (`null`: of all logs), or a copy came from elsewhere. When copies that
   * differ are joined then, nobody can tell whether a line without identity in both was written once or twice, and a line too
   * many is better than one too few (docs/sync.md section 4).
   */
  copiesUnknown(log: string | null): void {
    for (const name of log === null ? this.#lines.keys() : [log]) this.#unknownUntil.set(name, this.#now());
  }

  /** Whether more copies of this line than were written are nobody's fault. */
  mayBeDoubled(line: WrittenLine): boolean {
    return line.at <= (this.#unknownUntil.get(line.log) ?? 0);
  }

  *lines(): Generator<WrittenLine> {
    for (const lines of this.#lines.values()) yield* lines.values();
  }

  linesOf(log: string): ReadonlyMap<string, WrittenLine> {
    return this.#lines.get(log) ?? new Map<string, WrittenLine>();
  }

  logs(): IterableIterator<string> {
    return this.#lines.keys();
  }

  /** Whether a program wrote this line so short a time ago that a write of the hub which was under way then may have missed it. */
  isYoung(text: string): boolean {
    for (const lines of this.#lines.values()) {
      const line = lines.get(text);
      if (line && this.#now() - line.at <= UNDER_WAY_MS) return true;
    }
    return false;
  }

  /** Whether these bytes are a line that was written into `log`. */
  knows(log: string, text: string): boolean {
    return this.#known.get(log)?.has(text) ?? false;
  }

  /** Lines written into `log` that end with these bytes and are longer. */
  linesEndingWith(log: string, text: string): string[] {
    return [...(this.#known.get(log) ?? [])].filter((line) => line.length > text.length && line.endsWith(text));
  }

  /** Lines written into `log` that these bytes end with, and are longer. */
  linesAtEndOf(log: string, text: string): string[] {
    return [...(this.#known.get(log) ?? [])].filter(
      (line) => line !== '' && line.length < text.length && text.endsWith(line),
    );
  }

  /** Lines of `log` with `text` somewhere in them. */
  linesHolding(log: string, text: string): string[] {
    return [...(this.#known.get(log) ?? [])].filter((line) => line.includes(text));
  }

  /** Whether these bytes are the beginning of a line that was written into `log`. */
  knowsStart(log: string, text: string): boolean {
    for (const line of this.#known.get(log) ?? []) if (line.startsWith(text)) return true;
    return false;
  }

  #contentEnds(machine: string, document: string, how: string): void {
    const content = this.#documents.get(`${machine} ${document}`);
    if (!content) return;
    this.#documents.delete(`${machine} ${document}`);
    if (!this.#noticed(machine, content.since)) return;
    this.owed.push({ document, machine, hash: content.hash, why: `${how} after a while`, endedAt: this.#now() });
  }

  #noticed(machine: string, since: number): boolean {
    const reachable = this.#reachableSince.get(machine) ?? null;
    if (reachable === null || this.#hubSince === null) return false;
    return (
      this.#now() - Math.max(since, reachable, this.#hubSince, this.#unreadableUntil.get(machine) ?? 0) >
      NOTICED_AFTER_MS
    );
  }
}

/** SHA-256 in hex. */
export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Lines of a log as latin-1 texts: whole ones, and what follows the last newline. */
export function splitLines(bytes: Buffer): { readonly whole: string[]; readonly torn: string } {
  const parts = bytes.toString('latin1').split('\n');
  const torn = parts.pop() ?? '';
  return { whole: parts, torn };
}
