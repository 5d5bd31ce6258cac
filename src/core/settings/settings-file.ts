import { isUtf8 } from 'node:buffer';
import { createScanner, parseTree } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';

/** One top-level member of a settings file. Offsets count UTF-16 units of `SettingsFile.text`. */
export interface Member {
  readonly name: string;
  readonly value: Node;
  /** Where the member begins (at its name). */
  readonly from: number;
  /** Where it ends (behind its value, before any comma). */
  readonly to: number;
}

/** A settings file that was read without a doubt about what it says. */
export interface SettingsFile {
  readonly kind: 'ok';
  /** The text without a byte order mark. */
  readonly text: string;
  readonly hasByteOrderMark: boolean;
  readonly members: readonly Member[];
  /** Where the content of the object begins (behind `{`). */
  readonly inside: number;
}

/** Largest settings file that is read, in bytes. */
const MAX_BYTES = 1_000_000;
/** Deepest nesting that is read: the parser is recursive and its input comes from other machines. */
const MAX_DEPTH = 64;

/**
 * Reads a settings file: JSON, with comments and trailing commas allowed, as people write them. Whatever is in doubt (empty,
 * half written, not UTF-8, a key twice) is unreadable, which is unknown and never "no settings" (docs/sync.md section 3).
 */
export function readSettingsFile(
  file: Buffer,
): SettingsFile | { readonly kind: 'unreadable'; readonly reason: string } {
  if (file.length > MAX_BYTES) return unreadable('it is larger than 1 MB');
  if (!isUtf8(file)) return unreadable('it is not UTF-8');
  const decoded = file.toString('utf8');
  const hasByteOrderMark = decoded.startsWith('\uFEFF');
  const text = hasByteOrderMark ? decoded.slice(1) : decoded;
  if (text.trim() === '') return unreadable('it is empty, perhaps just being written');
  if (isDeeperThan(text, MAX_DEPTH)) return unreadable(`it is nested deeper than ${MAX_DEPTH} levels`);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) return unreadable(`it is not valid JSON (at character ${error.offset})`);
  if (root?.type !== 'object') return unreadable('it is not a JSON object');
  const members: Member[] = [];
  const names = new Set<string>();
  for (const property of root.children ?? []) {
    const [name, value] = property.children ?? [];
    if (!name || !value || typeof name.value !== 'string') return unreadable('it is not valid JSON');
    if (names.has(name.value)) return unreadable(`it says ${JSON.stringify(name.value)} twice`);
    names.add(name.value);
    members.push({ name: name.value, value, from: property.offset, to: property.offset + property.length });
  }
  return { kind: 'ok', text, hasByteOrderMark, members, inside: root.offset + 1 };
}

/** Where the next comma is between `from` and `to`, comments skipped; `null` when there is none. */
export function findComma(text: string, from: number, to: number): number | null {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return at < to && text[at] === ',' ? at : null;
}

function isDeeperThan(text: string, limit: number): boolean {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (;;) {
    scanner.scan();
    if (scanner.getTokenLength() === 0) return false;
    const at = text[scanner.getTokenOffset()];
    if (at === '{' || at === '[') depth += 1;
    if (at === '}' || at === ']') depth -= 1;
    if (depth > limit) return true;
  }
}

function unreadable(reason: string): { readonly kind: 'unreadable'; readonly reason: string } {
  return { kind: 'unreadable', reason };
}
