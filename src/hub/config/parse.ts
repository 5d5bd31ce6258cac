import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import type { z } from 'zod';
import { ConfigError, type ConfigIssue } from './config-error.ts';
import { configSchema, type Config } from './schema.ts';
import { crossCheck } from './cross-check.ts';

type Path = readonly PropertyKey[];

/**
 * Validates the text of a configuration file. Comments and trailing commas are allowed.
 * `home` is the hub user's home folder; it only matters for telling whether two local machines share one folder.
 * @throws {ConfigError} with every mistake and its place.
 */
export function parseConfig(text: string, file: string, home: string): Config {
  const lines = new LineIndex(text);
  const tree = parse(text, file, lines);
  const doubtful = [...doubtfulKeys(tree)];
  const result = configSchema.safeParse(valueOf(tree));
  const issues = result.success
    ? crossCheck(result.data, home).map(({ path, reason }) => issueAt(tree, path, reason, lines))
    : result.error.issues.flatMap((issue) => locate(tree, issue, lines));
  for (const { node, reason, path } of doubtful) issues.push({ ...lines.at(node.offset), at: path, reason });
  const [first, ...rest] = issues.sort((a, b) => a.line - b.line || a.column - b.column);
  if (first !== undefined) throw new ConfigError('invalid', file, [first, ...rest]);
  if (!result.success) throw result.error;
  return result.data;
}

/**
 * The mistakes of a text that its schema does not know of: machines that do not go together, keys that are there twice. Empty while the
 * text is no JSON, or breaks the schema: that comes first. @param home as for `parseConfig`.
 */
export function beyondSchema(text: string, home: string): ConfigIssue[] {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  if (tree === undefined || errors.length > 0) return [];
  const lines = new LineIndex(text);
  const doubtful = [...doubtfulKeys(tree)].map(({ node, reason, path }) => ({
    ...lines.at(node.offset),
    at: path,
    reason,
  }));
  const result = configSchema.safeParse(valueOf(tree));
  if (!result.success) return doubtful;
  return [...doubtful, ...crossCheck(result.data, home).map(({ path, reason }) => issueAt(tree, path, reason, lines))];
}

/** Line and column (1-based) of the value at `path` in valid configuration text, or of the nearest thing above it. */
export function placeOf(text: string, path: readonly PropertyKey[]): { line: number; column: number } {
  const tree = parseTree(text, [], { allowTrailingComma: true });
  return tree === undefined ? { line: 1, column: 1 } : new LineIndex(text).at(find(tree, path).child.offset);
}

function parse(text: string, file: string, lines: LineIndex): Node {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const [first, ...rest] = errors.map((error) => ({ ...lines.at(error.offset), at: '', reason: syntaxReason(error) }));
  if (first !== undefined) throw new ConfigError('syntax', file, [first, ...rest]);
  if (tree === undefined)
    throw new ConfigError('syntax', file, [{ line: 1, column: 1, at: '', reason: 'the file is empty' }]);
  return tree;
}

/** `CommaExpected` -> `not valid JSON: comma expected`. */
function syntaxReason(error: ParseError): string {
  const words = printParseErrorCode(error.error).replace(/([a-z])([A-Z])/g, '$1 $2');
  return `not valid JSON: ${words.toLowerCase()}`;
}

/** The value of a tree; objects have no prototype, so that a key called `__proto__` is a key like any other. */
function valueOf(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(valueOf);
  if (node.type !== 'object') return node.value;
  const value = Object.create(null) as Record<string, unknown>;
  for (const { key, child } of propertiesOf(node)) value[key.value as string] = valueOf(child);
  return value;
}

function* propertiesOf(node: Node): Generator<{ key: Node; child: Node }> {
  for (const property of node.children ?? []) {
    const [key, child] = property.children ?? [];
    if (key !== undefined && child !== undefined) yield { key, child };
  }
}

/** Keys that JSON readers treat silently: doubled ones (the last would win) and `__proto__` (it would be dropped). */
function* doubtfulKeys(node: Node, path = ''): Generator<{ node: Node; reason: string; path: string }> {
  if (node.type === 'array') {
    for (const [index, child] of (node.children ?? []).entries()) yield* doubtfulKeys(child, joined(path, index));
  }
  if (node.type !== 'object') return;
  const seen = new Set<string>();
  for (const { key, child } of propertiesOf(node)) {
    const name = key.value as string;
    const at = joined(path, name);
    if (seen.has(name)) yield { node: key, reason: `"${name}" is there twice`, path: at };
    if (name === '__proto__') yield { node: key, reason: '"__proto__" cannot be used as a name', path: at };
    seen.add(name);
    yield* doubtfulKeys(child, at);
  }
}

function joined(path: string, part: PropertyKey): string {
  return path === '' ? String(part) : `${path}.${String(part)}`;
}

/** A zod issue as issues with places; unknown keys are told one by one, each at its own place. */
function locate(tree: Node, issue: z.core.$ZodIssue, lines: LineIndex): ConfigIssue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => keyIssue(tree, [...issue.path, key], 'not a known key', lines));
  }
  if (issue.code === 'invalid_key') {
    return [keyIssue(tree, issue.path, issue.issues[0]?.message ?? issue.message, lines)];
  }
  return [issueAt(tree, issue.path, reasonOf(issue), lines)];
}

function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.endsWith('received undefined')) {
    return `missing (expected ${issue.expected})`;
  }
  return issue.message.replace(/^Invalid input: /, '');
}

/** Place of the value at `path`, or of the nearest thing above it that exists. */
function issueAt(tree: Node, path: Path, reason: string, lines: LineIndex): ConfigIssue {
  return { ...lines.at(find(tree, path).child.offset), at: path.map(String).join('.'), reason };
}

/** Place of the key itself at `path`. */
function keyIssue(tree: Node, path: Path, reason: string, lines: LineIndex): ConfigIssue {
  const found = find(tree, path);
  return { ...lines.at((found.key ?? found.child).offset), at: path.map(String).join('.'), reason };
}

/** The node at `path`, or the deepest one on the way; of a doubled key the last, as that is the one that was read. */
function find(tree: Node, path: Path): { key: Node | null; child: Node } {
  let found: { key: Node | null; child: Node } = { key: null, child: tree };
  for (const part of path) {
    const next = stepInto(found.child, part);
    if (next === undefined) break;
    found = next;
  }
  return found;
}

function stepInto(node: Node, part: PropertyKey): { key: Node | null; child: Node } | undefined {
  if (node.type === 'object') return [...propertiesOf(node)].filter(({ key }) => key.value === part).at(-1);
  const child = node.type === 'array' && typeof part === 'number' ? node.children?.[part] : undefined;
  return child && { key: null, child };
}

/** Offsets as lines and columns. */
class LineIndex {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  at(offset: number): { line: number; column: number } {
    const next = this.#starts.findIndex((start) => start > offset);
    const line = next === -1 ? this.#starts.length : next;
    return { line, column: offset - (this.#starts[line - 1] ?? 0) + 1 };
  }
}
