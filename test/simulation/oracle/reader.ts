import type { SimulatedMachine } from '../machine.ts';
import { readRecord } from '../models/records.ts';
import { isSecretPath, placeOf } from '../places.ts';
import type { Inode, VolumeChange } from '../volume.ts';
import { checkpointLeaf, historyForm } from './line-forms.ts';
import type { Ledger } from './ledger.ts';
import { hashOf, splitLines } from './ledger.ts';
import type { Violation } from './violation.ts';
import { shorten } from './violation.ts';

/** A CLI that has been running for so long has to be known to the hub (liveness is cached for 1 s, links are slow), ms. */
const LIVE_NOTICED_MS = 15_000;

/**
 * A reader that looks at every file at the very moment the hub has changed it. What it sees must always be whole: a log is a
 * sequence of lines that programs wrote, each after its parent, with at most the beginning of one at its end; a document has
 * its old or its new content. This is what a CLI that resumes at that moment would read.
 */
export class Reader {
  readonly violations: Violation[] = [];
  readonly #ledger: Ledger;
  readonly #projects: readonly string[];
  #historyForms = new Set<string>();
  #historyKnown = 0;
  /** Lines that were parsed before: the same ones are seen at every change of their file. */
  readonly #records = new Map<string, ReturnType<typeof readRecord>>();

  constructor(ledger: Ledger, projects: readonly string[]) {
    this.#ledger = ledger;
    this.#projects = projects;
  }

  /** Follows what the hub does on `machine`. */
  follow(machine: SimulatedMachine): void {
    // What lay under each log's name before the present change.
    const before = new Map<string, Inode>();
    machine.onChange((path, change) => {
      if (change.inode.type === 'file' && path.endsWith('.jsonl')) {
        const replaced = before.get(path);
        if (change.kind === 'remove') before.delete(path);
        else before.set(path, change.inode);
        if (change.by === 'hub' && change.kind === 'rename' && replaced !== undefined && replaced !== change.inode) {
          this.#replaced(machine, path, replaced, change.inode);
        }
      }
      if (change.by === 'hub' && !path.startsWith('.claude-sync') && change.inode.type === 'file')
        this.#look(machine, path, change);
    });
  }

  /**
   * The hub put another file in the place of a log. What a program wrote at just that moment is in the old one and has to come
   * back, so its records may be missing for a while; and a CLI that was just started may have read the old file, and goes on
   * from a record that is in a fork now. But a session that has been open for some time is never replaced.
   */
  #replaced(machine: SimulatedMachine, path: string, old: Inode, now: Inode): void {
    const openFor = this.#openFor(machine, path);
    const there = new Set(splitLines(machine.volume.read(now, 0, now.size)).whole);
    for (const text of splitLines(machine.volume.read(old, 0, old.size)).whole) {
      const uuid = there.has(text) ? undefined : this.#recordOf(text)?.uuid;
      if (typeof uuid === 'string' && (openFor.length > 0 || this.#ledger.isYoung(text)))
        this.#ledger.displaced.add(uuid);
    }
    for (const ms of openFor) {
      // Where processes cannot be seen, only the age of a registration tells, and that is measured with the clock that was set.
      if (ms < LIVE_NOTICED_MS || (machine.spec.os !== 'linux' && machine.clockSetAt > 0)) continue;
      this.#violate('live-replaced', machine, path, `a CLI has had this session open for ${ms} ms`);
    }
  }

  /** For how long each CLI that has the session of a transcript open has been running, ms. */
  #openFor(machine: SimulatedMachine, path: string): number[] {
    return [...machine.processes].flatMap(([pid, started]) => {
      const registration = machine.content(`sessions/${pid}.json`)?.toString('latin1') ?? '';
      const session = /"sessionId":"([^"]+)"/.exec(registration)?.[1];
      return session !== undefined && path.endsWith(`/${session}.jsonl`) ? [machine.now() - started] : [];
    });
  }

  #look(machine: SimulatedMachine, path: string, change: VolumeChange): void {
    const place = placeOf(machine, path, this.#projects);
    if (change.kind === 'remove') {
      if (place?.kind === 'document') this.#ledger.documentTakenByHub(machine.name, place.document);
      return;
    }
    // Opened under its own name, and given this one by the CLI before the write.
    if (!place && change.kind === 'write' && /\.jsonl\.superseded-\d+$/.test(path)) return;
    if (!place) {
      const what = isSecretPath(path) ? 'denied-moved' : 'stray-file';
      return this.#violate(what, machine, path, 'the hub wrote a file that no program made and that does not travel');
    }
    const bytes = machine.content(path);
    if (bytes === null) return;
    if (place.kind === 'document') return this.#lookAtDocument(machine, path, place.document, bytes, change);
    this.#lookAtLog(machine, place.log, bytes);
  }

  #lookAtDocument(
    machine: SimulatedMachine,
    path: string,
    document: string,
    bytes: Buffer,
    change: VolumeChange,
  ): void {
    if (change.kind === 'write') return this.#violate('half-written', machine, path, 'a document was written in place');
    this.#ledger.documentTakenByHub(machine.name, document);
    this.#ledger.documentPutBack(machine.name, document, bytes);
    if (!this.#ledger.documentNames.has(document))
      return this.#violate('stray-file', machine, path, 'nobody made a document of this name');
    if (this.#ledger.contents.has(hashOf(bytes))) return;
    const invented = bytes
      .toString('latin1')
      .split('\n')
      .find((line) => !this.#ledger.documentLines.has(line));
    if (invented !== undefined) this.#violate('invented', machine, path, `no user wrote the line ${shorten(invented)}`);
  }

  #lookAtLog(machine: SimulatedMachine, log: string, bytes: Buffer): void {
    const { whole, torn } = splitLines(bytes);
    const uuids = new Set<string>();
    // A session that no program started is a fork: its lines are known under the session it was split from.
    const fork = log.startsWith('session/') && this.#ledger.linesOf(log).size === 0 && !log.slice(8).includes('/');
    for (const text of whole) {
      if (text === '') continue;
      if (!fork && !this.#isKnown(log, text) && !this.#isDamaged(log, text, whole)) {
        return this.#violate('invented', machine, log, `a reader sees a line that nobody wrote: ${shorten(text)}`);
      }
      const record = this.#recordOf(text);
      if (typeof record?.uuid !== 'string') continue;
      if (
        typeof record.parentUuid === 'string' &&
        !uuids.has(record.parentUuid) &&
        !this.#ledger.displaced.has(record.parentUuid) &&
        !this.#startsShort(log, whole)
      ) {
        // Taken out between the hub's look and its write: the child stands alone there until the file is put in order.
        if (this.#ledger.isJustWithdrawn(machine.name, record.parentUuid))
          this.#ledger.displaced.add(record.parentUuid);
        else return this.#violate('hole', machine, log, `a reader sees ${shorten(text)} without its parent`);
      }
      uuids.add(record.uuid);
    }
    if (torn !== '' && !fork && !this.#startIsKnown(log, torn) && !this.#isGoneOnWith(log, torn, whole)) {
      this.#violate('invented', machine, log, `a reader sees a torn line that nobody began: ${shorten(torn)}`);
    }
  }

  #recordOf(text: string): ReturnType<typeof readRecord> {
    let record = this.#records.get(text);
    if (record === undefined) this.#records.set(text, (record = readRecord(text)));
    return record;
  }

  /** A file that a CLI itself began in the middle (its old one was taken away by its user) has no past to offer. */
  #startsShort(log: string, whole: readonly string[]): boolean {
    const first = whole.map((text) => this.#recordOf(text)).find((record) => typeof record?.uuid === 'string');
    return (
      typeof first?.parentUuid === 'string' && [...this.#ledger.removals].some((removal) => removal.endsWith(` ${log}`))
    );
  }

  #isKnown(log: string, text: string): boolean {
    if (this.#ledger.knows(log, text)) return true;
    if (log === 'history') return this.#knownHistory().has(historyForm(text));
    const leaf = checkpointLeaf(text);
    return leaf !== null && text.includes(log.split('/')[1] ?? '');
  }

  /**
   * Nobody can append on condition, so between the hub's look and its write another program can always get in. When it leaves a torn line
   * just then, the hub's line is behind that; when half of a line of the hub's was there because the disk was full, and a program wrote
   * behind it, the other half is a line of its own. Like after any torn tail a line is damaged in this copy, until it is put in order.
   */
  #isDamaged(log: string, text: string, whole: readonly string[]): boolean {
    const damaged =
      this.#ledger
        .linesEndingWith(log, text)
        .find((line) => whole.some((other) => other !== line && other.startsWith(line.slice(0, -text.length)))) ??
      this.#ledger
        .linesAtEndOf(log, text)
        .find((line) => this.#ledger.knowsStart(log, text.slice(0, text.length - line.length)));
    if (damaged === undefined) return this.#isCheckpointBehindTorn(log, text);
    const uuid = this.#recordOf(damaged)?.uuid;
    if (typeof uuid === 'string') this.#ledger.displaced.add(uuid);
    return true;
  }

  /** The other half broke off as well: what is at the end of the file goes on where the hub's line had broken off, before a program wrote behind it. */
  #isGoneOnWith(log: string, torn: string, whole: readonly string[]): boolean {
    return this.#ledger.linesHolding(log, torn).some((line) => {
      const begun = line.slice(0, line.indexOf(torn));
      return begun !== '' && whole.some((text) => text !== line && text.startsWith(begun));
    });
  }

  /** The same with a checkpoint, which the hub made itself. */
  #isCheckpointBehindTorn(log: string, text: string): boolean {
    const at = text.lastIndexOf('{"type":"last-prompt"');
    return at > 0 && this.#isKnown(log, text.slice(at)) && this.#ledger.knowsStart(log, text.slice(0, at));
  }

  #startIsKnown(log: string, torn: string): boolean {
    // The path in a history entry may differ from the first byte of it on; the text before it may not.
    if (log === 'history')
      return torn.length < 30 || this.#ledger.knowsStart(log, torn.slice(0, Math.max(1, torn.indexOf('"project"'))));
    return this.#ledger.knowsStart(log, torn) || torn.startsWith('{"type":"last-prompt"');
  }

  #knownHistory(): ReadonlySet<string> {
    const lines = this.#ledger.linesOf('history');
    if (lines.size !== this.#historyKnown) {
      this.#historyForms = new Set([...lines.keys()].map(historyForm));
      this.#historyKnown = lines.size;
    }
    return this.#historyForms;
  }

  #violate(promise: string, machine: SimulatedMachine, what: string, detail: string): void {
    const same = (other: Violation): boolean =>
      other.machine === machine.name && other.what === what && other.detail === detail;
    if (this.violations.length < 20 && !this.violations.some(same))
      this.violations.push({ promise, machine: machine.name, what, detail });
  }
}
