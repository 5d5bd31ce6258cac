import type { SimulatedMachine } from '../machine.ts';
import { readRecord } from '../models/records.ts';
import { placeOf } from '../places.ts';
import type { HubContents } from '../simulated-hub.ts';
import { historyForm, isCheckpoint, unforked } from './line-forms.ts';
import type { Ledger, WrittenLine } from './ledger.ts';
import { hashOf, splitLines } from './ledger.ts';
import type { Violation } from './violation.ts';
import { shorten } from './violation.ts';

/** What the final checks look at: a world in which nothing moves any more. */
export interface FinalState {
  readonly ledger: Ledger;
  readonly machines: readonly SimulatedMachine[];
  readonly projects: readonly string[];
  readonly contents: HubContents;
}

/** All promises of docs/sync.md section 12 that can be judged at the end. */
export function checkFinalState(state: FinalState): Violation[] {
  return [
    ...checkLines(state),
    ...checkHistory(state),
    ...checkDocuments(state),
    ...checkTombstones(state),
    ...checkTrees(state),
    ...checkSecrets(state),
    ...checkForgotten(state),
  ];
}

/** Every line is in the head of its session, in a fork or in a version, and in the head at most as often as it was written. */
function checkLines({ ledger, contents }: FinalState): Violation[] {
  const found: Violation[] = [];
  const keptLines = new Map<string, Set<string>>();
  const keep = (text: string, key: string): void => {
    let keys = keptLines.get(text);
    if (!keys) keptLines.set(text, (keys = new Set()));
    keys.add(key);
  };
  const sessions = new Set([...ledger.logs()].filter((log) => /^session\/[^/]+$/.test(log)));
  const addLines = (key: string, bytes: Buffer): void => {
    for (const text of splitLines(bytes).whole) {
      keep(text, key);
      if (sessions.has(key) || !/^session\/[^/]+$/.test(key)) continue;
      // A key that no program wrote to is a fork: count its lines under the session that they were written in.
      for (const session of sessions)
        if (ledger.knows(session, unforked(text, key.slice(8), session.slice(8))))
          keep(unforked(text, key.slice(8), session.slice(8)), key);
    }
  };
  for (const [key, bytes] of contents.heads) if (bytes) addLines(key, bytes);
  for (const { key, bytes } of contents.versions) addLines(key, bytes);

  for (const log of ledger.logs()) {
    if (log === 'history' || isForgotten(ledger, log)) continue;
    for (const line of ledger.linesOf(log).values()) {
      if (line.excuse === null && !keptLines.has(line.text)) found.push(lost(line));
    }
    const head = contents.heads.get(log);
    if (!head) continue;
    for (const [text, count] of counts(splitLines(head).whole)) {
      if (text === '' || isCheckpoint(text)) continue;
      const line = ledger.linesOf(log).get(text);
      const hasIdentity = typeof readRecord(text)?.uuid === 'string';
      if (line && count > line.writes && (hasIdentity || !ledger.mayBeDoubled(line))) {
        found.push({
          promise: 'line-doubled',
          machine: line.machine,
          what: log,
          detail: `${count} times in the head, written ${line.writes} times: ${shorten(text)}`,
        });
      }
      if (!line && !ledger.knows(log, text)) {
        found.push({
          promise: 'invented',
          machine: null,
          what: log,
          detail: `the head has a line that nobody wrote: ${shorten(text)}`,
        });
      }
    }
    found.push(...checkParents(log, head, ledger.displaced));
  }
  return found;
}

/** A record comes after its parent, as far as the head has the parent at all. */
function checkParents(log: string, head: Buffer, displaced: ReadonlySet<string>): Violation[] {
  const found: Violation[] = [];
  const position = new Map<string, number>();
  const records = splitLines(head).whole.map(readRecord);
  records.forEach(
    (record, at) => typeof record?.uuid === 'string' && !position.has(record.uuid) && position.set(record.uuid, at),
  );
  records.forEach((record, at) => {
    const parent =
      typeof record?.parentUuid === 'string' && !displaced.has(record.parentUuid)
        ? position.get(record.parentUuid)
        : undefined;
    if (parent !== undefined && parent > at) {
      found.push({
        promise: 'order',
        machine: null,
        what: log,
        detail: `the head has ${String(record?.uuid)} before its parent`,
      });
    }
  });
  return found;
}

function checkHistory({ ledger, contents, machines }: FinalState): Violation[] {
  const found: Violation[] = [];
  const places: [string, Buffer | null | undefined][] = machines
    .filter((machine) => !contents.quarantined.has(machine.name))
    .map((machine) => [machine.name, machine.content('history.jsonl')]);
  const versions = new Set(
    contents.versions
      .filter(({ key }) => key === 'history')
      .flatMap(({ bytes }) => splitLines(bytes).whole.map(historyForm)),
  );
  for (const [machine, bytes] of places) {
    const here = counts(splitLines(bytes ?? Buffer.alloc(0)).whole.map(historyForm));
    for (const line of ledger.linesOf('history').values()) {
      if (isForgotten(ledger, `session/${/"sessionId":"([^"]+)"/.exec(line.text)?.[1]}`)) continue;
      const count = here.get(historyForm(line.text)) ?? 0;
      if (
        count === 0 &&
        line.excuse === null &&
        // Taken away again while a safeguard stopped its machine, or here: it is a version then.
        !(
          versions.has(historyForm(line.text)) &&
          [machine, line.machine].some((name) => ledger.removals.has(`${name} history`))
        )
      ) {
        const state = contents.pair(machine, 'history');
        // A history that cannot be replaced without a gap is held back, and named.
        if (state?.state === 'held' && machines.some(({ name, spec }) => name === machine && spec.noHardLinks))
          continue;
        found.push({
          promise: 'history-lost',
          machine,
          what: 'history',
          detail: `(${state?.state}, ${state?.reason}) ${shorten(line.text)}`,
        });
      }
      if (count > line.writes)
        found.push({
          promise: 'history-doubled',
          machine,
          what: 'history',
          detail: `${count} times: ${shorten(line.text)}`,
        });
    }
  }
  return found;
}

/** Every content that was in reach long enough, or that the hub replaced, is a head or a version. */
function checkDocuments({ ledger, contents }: FinalState): Violation[] {
  const kept = new Set<string>();
  for (const bytes of contents.heads.values()) if (bytes) kept.add(hashOf(bytes));
  for (const { bytes } of contents.versions) kept.add(hashOf(bytes));
  return ledger.owed
    .filter(
      ({ document, hash }) =>
        !kept.has(hash) && !isForgotten(ledger, document) && !isOfUnknownProject(ledger, document),
    )
    .map(({ document, machine, hash, why }) => ({
      promise: 'content-lost',
      machine,
      what: document,
      detail: `content ${hash.slice(0, 12)} is neither head nor version (${why})`,
    }));
}

/** Nothing is deleted everywhere but what a user deleted somewhere; what Claude's clean-up takes is not deleted at all. */
function checkTombstones({ ledger, contents }: FinalState): Violation[] {
  const removed = new Set([...ledger.removals].map((removal) => removal.slice(removal.indexOf(' ') + 1)));
  const found: Violation[] = [];
  for (const [key, bytes] of contents.heads) {
    if (bytes !== null || isForgotten(ledger, key) || key.startsWith('project/')) continue;
    if (/^(session\/|plans\/|paste-cache\/)/.test(key)) {
      found.push({
        promise: 'deleted',
        machine: null,
        what: key,
        detail: 'deleted, though its absence is only clean-up',
      });
    } else if (!removed.has(key)) {
      found.push({
        promise: 'deleted',
        machine: null,
        what: key,
        detail: 'deleted, though no user removed it anywhere',
      });
    }
  }
  return found;
}

/** Every machine holds every head, byte for byte, apart from what the hub names as evicted, held, manual, failed or deferred. */
function checkTrees(state: FinalState): Violation[] {
  const { ledger, contents, machines, projects } = state;
  const found: Violation[] = [];
  for (const machine of machines) {
    if (contents.quarantined.has(machine.name)) continue;
    const violate = (promise: string, what: string, detail: string): void =>
      void found.push({ promise, machine: machine.name, what, detail });
    const seen = new Map<string, string>();
    for (const path of machine.files()) {
      const place = placeOf(machine, path, projects);
      if (!place || (place.kind === 'log' && place.log === 'history')) continue;
      const name = place.kind === 'log' ? place.log : place.document;
      if (isForgotten(ledger, name)) continue;
      if (place.kind === 'document' && !ledger.documentNames.has(name)) continue;
      const key = keyOf(name) ?? contents.keyAt(machine.name, path);
      if (key === null) {
        if (isOfUnknownProject(ledger, name)) continue;
        violate('not-carried', name, `${path} is not known to the hub`);
        continue;
      }
      const other = seen.get(key);
      if (other !== undefined) violate('two-copies', key, `${other} and ${path}`);
      seen.set(key, path);
      const head = contents.heads.get(key);
      if (head && machine.content(path)?.equals(head)) continue;
      if (place.kind === 'log' && isHeadAndTornTail(machine.content(path), head ?? Buffer.alloc(0))) continue;
      const excuse = excuseOf(state, machine, key, head);
      if (excuse === null)
        violate('not-level', key, `${path} has ${describe(machine.content(path))}, the head ${describe(head ?? null)}`);
    }
    for (const [key, head] of contents.heads) {
      // History heads lie in no file of their own on a machine; `checkHistory` looks at those.
      if (head === null || seen.has(key) || /^history(\/|$)/.test(key) || isForgotten(ledger, key)) continue;
      const pair = contents.pair(machine.name, key);
      if (pair?.evicted === true && wasRemoved(ledger, machine.name, key)) continue;
      if (excuseOf(state, machine, key, head) !== null) continue;
      violate(
        'missing',
        key,
        pair?.evicted === true ? 'evicted, though nobody removed it there' : 'the head is not on the machine',
      );
    }
  }
  return found;
}

function excuseOf(
  state: FinalState,
  machine: SimulatedMachine,
  key: string,
  head: Buffer | null | undefined,
): string | null {
  const pair = state.contents.pair(machine.name, key);
  if (pair === null || !head) return null;
  // All faults are over and every session is closed: `failed` and `deferred-live` are no excuse any more.
  const isHonest = pair.state === 'manual' || (pair.state === 'held' && machine.spec.noHardLinks);
  return isHonest ? `${pair.state}: ${pair.reason}` : null;
}

/** Nothing denied is on another machine or in the hub. */
function checkSecrets({ ledger, machines, contents }: FinalState): Violation[] {
  const found: Violation[] = [];
  const search = (bytes: Buffer, machine: string | null, where: string): void => {
    let at = bytes.indexOf('SECRET-');
    for (; at >= 0; at = bytes.indexOf('SECRET-', at + 1)) {
      const marker = bytes.toString('latin1', at, at + 'SECRET-'.length + 12);
      const home = ledger.secrets.get(marker);
      if (home !== undefined && home !== machine)
        found.push({ promise: 'denied-moved', machine, what: where, detail: `${marker} of ${home}` });
    }
  };
  for (const machine of machines) {
    for (const { path, inode } of machine.volume.walk()) {
      if (inode.type === 'file') search(inode.data.subarray(0, inode.size), machine.name, path);
    }
  }
  for (const { where, bytes } of contents.allBytes) search(bytes, null, where);
  return found;
}

/** Nothing that was forgotten is anywhere. */
function checkForgotten({ ledger, machines, contents }: FinalState): Violation[] {
  const found: Violation[] = [];
  for (const session of ledger.forgottenSessions) {
    const what = `session/${session}`;
    for (const machine of machines) {
      if (contents.quarantined.has(machine.name)) continue;
      const path = machine.files('projects').find((file) => file.includes(session));
      if (path !== undefined)
        found.push({ promise: 'forgotten-back', machine: machine.name, what, detail: `${path} is there` });
    }
    if ([...contents.heads].some(([key, bytes]) => bytes && (key === what || key.startsWith(`${what}/`)))) {
      found.push({ promise: 'forgotten-back', machine: null, what, detail: 'it is in the archive' });
    }
    if (contents.versions.some(({ key }) => key === what || key.startsWith(`${what}/`))) {
      found.push({ promise: 'forgotten-back', machine: null, what, detail: 'it is in a version' });
    }
  }
  return found;
}

/** The key of a log or document where it does not depend on how the hub names projects. */
function keyOf(name: string): string | null {
  return name.startsWith('memory:') ? null : name;
}

function wasRemoved(ledger: Ledger, machine: string, key: string): boolean {
  if (ledger.removals.has(`${machine} ${key}`)) return true;
  // Memory is written down under the place of its project.
  const memory = /^project\/([^/]+)\/memory\/(.+)$/.exec(key);
  if (memory !== null && ledger.removals.has(`${machine} memory:${decodeURIComponent(memory[1] ?? '')}/${memory[2]}`))
    return true;
  // Sidecars go with their session, also when only the session was there to be removed.
  const session = /^session\/[^/]+/.exec(key)?.[0];
  return session !== undefined && ledger.removals.has(`${machine} ${session}`);
}

function isForgotten(ledger: Ledger, name: string): boolean {
  const session = /^session\/([^/]+)/.exec(name)?.[1];
  return session !== undefined && ledger.forgottenSessions.has(session);
}

function lost(line: WrittenLine): Violation {
  return {
    promise: 'line-lost',
    machine: line.machine,
    what: line.log,
    detail: `in no head, fork or version: ${shorten(line.text)}`,
  };
}

function counts(texts: readonly string[]): Map<string, number> {
  const result = new Map<string, number>();
  for (const text of texts) result.set(text, (result.get(text) ?? 0) + 1);
  return result;
}

function describe(bytes: Buffer | null): string {
  return bytes === null ? 'nothing' : `${bytes.length} bytes (${hashOf(bytes).slice(0, 12)})`;
}

/** A line that was never finished waits on its machine: it is no line yet. */
function isHeadAndTornTail(content: Buffer | null, head: Buffer): boolean {
  return (
    content !== null &&
    content.length >= head.length &&
    content.subarray(0, head.length).equals(head) &&
    !content.includes(0x0a, head.length)
  );
}

/** Memory of a folder in which nobody ever held a conversation: which project it is cannot be known, so it stays where it is. */
function isOfUnknownProject(ledger: Ledger, document: string): boolean {
  const project = /^memory:(.*)\/[^/]+$/.exec(document)?.[1];
  if (project === undefined) return false;
  for (const log of ledger.logs()) {
    for (const line of ledger.linesOf(log).keys())
      if (line.replaceAll('\\\\', '/').includes(`/${project}"`)) return false;
  }
  return true;
}
