import { applyEdits } from 'jsonc-parser';
import type { Edit } from 'jsonc-parser';
import { sharedPartOf, writeCanonical } from './canonical.ts';
import type { SharedSettings } from './canonical.ts';
import { findComma, readSettingsFile } from './settings-file.ts';
import type { Member, SettingsFile } from './settings-file.ts';

/** The shared part of a settings file, or why the file says nothing about it (unknown, not empty). */
export type ExtractedSettings =
  { readonly kind: 'ok'; readonly canonical: Buffer } | { readonly kind: 'unreadable'; readonly reason: string };

/**
 * The part of a `settings.json` that may travel, as canonical bytes: the same settings are the same bytes on every machine,
 * however the file is written. That is what is hashed, compared and kept as the head of `settings.json`.
 */
export function extractSettings(file: Buffer): ExtractedSettings {
  const read = readShared(file);
  return read.kind === 'ok' ? { kind: 'ok', canonical: writeCanonical(read.shared) } : read;
}

/** A settings file or its canonical part cannot be read, so nothing was written to it. */
export class SettingsUnreadable extends Error {
  constructor(what: string, reason: string) {
    super(`${what} cannot be used: ${reason}. The file was not changed; correct it and it will be synced again.`);
    this.name = 'SettingsUnreadable';
  }
}

/**
 * A settings file with the shared part made `canonical`. Only allowed keys whose value differs are touched; every other byte,
 * with comments, order and indentation, stays. Allowed keys of `previous` (what this machine was last level with) that are
 * not in `canonical` are removed; others that are only in the file stay, they are news from there.
 * @param file the file as it is; `null` makes a new one
 * @param previous `null` when the machine was never level: nothing is removed
 * @throws {SettingsUnreadable} when any of the three cannot be read
 */
export function applySettings(file: Buffer | null, canonical: Buffer, previous: Buffer | null): Buffer {
  const wanted = sharedOrThrow(canonical, 'The shared settings');
  const before = previous === null ? new Map<string, string>() : sharedOrThrow(previous, 'The former shared settings');
  const read = readShared(file ?? Buffer.from('{\n}\n'));
  if (read.kind === 'unreadable') throw new SettingsUnreadable('settings.json', read.reason);
  const { text, members, hasByteOrderMark } = read.file;

  const edits: Edit[] = [];
  const removed = members.filter(({ name }) => before.has(name) && !wanted.has(name));
  edits.push(...removalEdits(read.file, new Set(removed)));
  for (const { name, value } of members) {
    const json = wanted.get(name);
    if (json === undefined || json === read.shared.get(name)) continue;
    edits.push({ offset: value.offset, length: value.length, content: json });
  }
  const names = new Set(members.map(({ name }) => name));
  const added = [...wanted.keys()].filter((name) => !names.has(name)).sort();
  const staying = members.filter((member) => !removed.includes(member));
  if (added.length > 0) edits.push(insertionEdit(read.file, staying.at(-1), added, wanted));

  const result = Buffer.from((hasByteOrderMark ? '\uFEFF' : '') + applyEdits(text, edits));
  assertHolds(result, wanted);
  return result;
}

/**
 * Three-way merge by key of canonical settings. A key that one side changed gets that change, against a delete the change
 * wins; a key that both changed in different ways is listed in `conflicts` and gets the value of `theirs`, so the caller
 * passes the winner there.
 * @param base `null` when nothing is known about the past: a union, in which unequal values are conflicts
 * @throws {SettingsUnreadable} when any of them is not canonical settings
 */
export function mergeSettings(
  base: Buffer | null,
  ours: Buffer,
  theirs: Buffer,
): { readonly content: Buffer; readonly conflicts: string[] } {
  const past = base === null ? new Map<string, string>() : sharedOrThrow(base, 'The former shared settings');
  const left = sharedOrThrow(ours, 'Our shared settings');
  const right = sharedOrThrow(theirs, 'Their shared settings');
  const merged = new Map<string, string>();
  const conflicts: string[] = [];
  for (const name of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const [was, a, b] = [past.get(name), left.get(name), right.get(name)];
    const isConflict = a !== b && a !== was && b !== was && a !== undefined && b !== undefined;
    if (isConflict) conflicts.push(name);
    // Both moved, one of them by deleting: the change wins.
    const value = b === was || (b === undefined && a !== was) ? a : b;
    if (value !== undefined) merged.set(name, value);
  }
  return { content: writeCanonical(merged), conflicts };
}

function readShared(
  file: Buffer,
):
  | { readonly kind: 'ok'; readonly file: SettingsFile; readonly shared: SharedSettings }
  | { readonly kind: 'unreadable'; readonly reason: string } {
  const read = readSettingsFile(file);
  if (read.kind === 'unreadable') return read;
  const part = sharedPartOf(read);
  return part.kind === 'ok' ? { kind: 'ok', file: read, shared: part.shared } : part;
}

function sharedOrThrow(canonical: Buffer, what: string): SharedSettings {
  const read = readShared(canonical);
  if (read.kind === 'unreadable') throw new SettingsUnreadable(what, read.reason);
  return read.shared;
}

/** Takes members out: each with one comma, and with its line where nothing else is on it. */
function removalEdits(file: SettingsFile, removed: ReadonlySet<Member>): Edit[] {
  const { text, members } = file;
  const cuts: { from: number; to: number }[] = [];
  for (const [at, member] of members.entries()) {
    if (!removed.has(member)) continue;
    cuts.push({ from: member.from, to: member.to });
    const comma = findComma(text, member.to, members[at + 1]?.from ?? text.length);
    if (comma !== null) cuts.push({ from: comma, to: comma + 1 });
  }
  // The last member that stays must not keep a comma that was followed by removed ones only.
  const lastStaying = members.findLastIndex((member) => !removed.has(member));
  const next = members[lastStaying + 1];
  const last = members[lastStaying];
  const hasTrailingComma = findComma(text, members.at(-1)?.to ?? text.length, text.length) !== null;
  if (last && next && !hasTrailingComma) {
    const comma = findComma(text, last.to, next.from);
    if (comma !== null) cuts.push({ from: comma, to: comma + 1 });
  }
  return joinCuts(text, cuts).map(({ from, to }) => ({ offset: from, length: to - from, content: '' }));
}

/** Joins cuts with only blanks between them, and widens each to its whole line where the line holds nothing else. */
function joinCuts(text: string, cuts: readonly { from: number; to: number }[]): { from: number; to: number }[] {
  const joined: { from: number; to: number }[] = [];
  for (const cut of [...cuts].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && /^[ \t]*$/.test(text.slice(last.to, cut.from))) last.to = cut.to;
    else joined.push({ ...cut });
  }
  return joined.map(({ from, to }) => {
    const lineStart = text.lastIndexOf('\n', from - 1) + 1;
    const lineEnd = text.indexOf('\n', to);
    const isWholeLine =
      lineStart > 0 &&
      lineEnd >= 0 &&
      text.slice(lineStart, from).trim() === '' &&
      text.slice(to, lineEnd).trim() === '';
    return isWholeLine ? { from: lineStart, to: lineEnd + 1 } : { from, to };
  });
}

/** Puts new members behind `last` (or first, when there is none that stays), one a line where the file has lines. */
function insertionEdit(
  file: SettingsFile,
  last: Member | undefined,
  added: readonly string[],
  wanted: SharedSettings,
): Edit {
  const { text, inside, members } = file;
  const newline = text.includes('\r\n') ? '\r\n' : text.includes('\n') ? '\n' : '';
  const gap = newline === '' ? '' : newline + indentOf(text, members);
  const lines = added.map((name) => `${JSON.stringify(name)}: ${wanted.get(name)}`);
  if (last) return { offset: last.to, length: 0, content: lines.map((line) => `,${gap || ' '}${line}`).join('') };
  const after = /^[ \t]*\r?\n/.test(text.slice(inside)) || newline === '' ? '' : newline;
  return { offset: inside, length: 0, content: lines.map((line) => gap + line).join(`,${gap ? '' : ' '}`) + after };
}

/** The blanks before the first member that begins a line; two spaces when none does. */
function indentOf(text: string, members: readonly Member[]): string {
  for (const { from } of members) {
    const before = text.slice(text.lastIndexOf('\n', from - 1) + 1, from);
    if (before !== '' && before.trim() === '' && text.lastIndexOf('\n', from - 1) >= 0) return before;
  }
  return '  ';
}

/** Last check before a user's file is replaced: it can be read and says what it was to say. */
function assertHolds(result: Buffer, wanted: SharedSettings): void {
  const read = readShared(result);
  if (read.kind === 'unreadable') throw new SettingsUnreadable('The settings made from both sides', read.reason);
  for (const [name, json] of wanted) {
    if (read.shared.get(name) !== json) {
      throw new SettingsUnreadable('The settings made from both sides', `${JSON.stringify(name)} has another value`);
    }
  }
}
