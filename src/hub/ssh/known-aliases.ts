import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { expandHome } from '../config/expand-home.ts';

/** A machine that the user's ssh_config names. */
export interface KnownAlias {
  /** What one writes behind `ssh`. */
  readonly alias: string;
  /** As ssh_config says for it where that is simple: in its own `Host` blocks, and those for all hosts. `null`: not said, or not simple. */
  readonly hostname: string | null;
  readonly user: string | null;
  readonly port: number | null;
}

/** As ssh does not follow more (READCONF_MAX_DEPTH). */
const MOST_DEPTH = 16;
const MOST_FILES = 200;
/** Of one file, and of all files together. A configuration that somebody wrote is far below. */
const MOST_BYTES = 1024 * 1024;
const MOST_BYTES_TOGETHER = 4 * MOST_BYTES;
/** More than anybody can pick from. */
const MOST_ALIASES = 1000;

type Field = 'hostname' | 'user' | 'port';
const FIELDS: ReadonlySet<string> = new Set<Field>(['hostname', 'user', 'port']);
type Values = Record<Field, string | null>;

/**
 * The machines that a user may pick: the concrete names of `Host` lines, in their order, each once. Patterns (`*`, `?`, `!`) name none.
 *
 * This is for a list to pick from, and never for connecting: there ssh itself says what a name means (`askSsh`). So files that are missing,
 * unreadable, binary, or no files at all are left out without a word, as are `Match` blocks, and what is included on conditions.
 * @param options.home `~`. @param options.configFile default: `~/.ssh/config`.
 */
export async function knownAliases(options: {
  readonly home: string;
  readonly configFile?: string;
}): Promise<KnownAlias[]> {
  const file = options.configFile ?? join(options.home, '.ssh', 'config');
  const reading = new Reading(options.home);
  await reading.take(resolve(file), 0);
  return reading.aliases();
}

/** What the lines below count for: all hosts, some names, or none that is told here. */
type Block = 'all' | readonly Values[];

class Reading {
  readonly #home: string;
  readonly #byName = new Map<string, Values>();
  /** Said for all hosts so far; of several values ssh takes the first. */
  readonly #general: Values = { hostname: null, user: null, port: null };
  readonly #taken = new Set<string>();
  #bytesLeft = MOST_BYTES_TOGETHER;

  constructor(home: string) {
    this.#home = home;
  }

  aliases(): KnownAlias[] {
    return [...this.#byName].map(([alias, { hostname, user, port }]) => ({
      alias,
      hostname: hostname === null ? null : simple(hostname.replaceAll('%h', alias)),
      user: user === null ? null : simple(user),
      port: portOf(port),
    }));
  }

  /** A file counts once: a second time its first values stand already, and a loop of includes ends. */
  async take(file: string, depth: number): Promise<void> {
    if (depth > MOST_DEPTH || this.#taken.size >= MOST_FILES || this.#taken.has(file)) return;
    this.#taken.add(file);
    const text = await readText(file, Math.min(MOST_BYTES, this.#bytesLeft));
    this.#bytesLeft -= Buffer.byteLength(text);
    let block: Block = 'all';
    for (const line of text.split('\n')) {
      const [keyword = '', ...words] = configWords(line);
      if (keyword === 'host') block = this.#blockOf(words);
      else if (keyword === 'match') block = words.length === 1 && words[0]?.toLowerCase() === 'all' ? 'all' : [];
      else if (keyword === 'include' && block === 'all')
        for (const word of words)
          for (const included of await this.#filesOf(word)) await this.take(included, depth + 1);
      else if (FIELDS.has(keyword) && words[0] !== undefined) this.#set(block, keyword as Field, words[0]);
    }
  }

  #blockOf(patterns: readonly string[]): Block {
    const named = this.#named(patterns);
    return patterns.includes('*') && !patterns.some((pattern) => pattern.startsWith('!')) ? 'all' : named;
  }

  #named(patterns: readonly string[]): Values[] {
    const excluded = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
    return patterns.flatMap((name) => {
      if (!isConcrete(name) || excluded.some((pattern) => matchesWildcard(name, pattern))) return [];
      const known = this.#byName.get(name);
      if (known !== undefined) return [known];
      if (this.#byName.size >= MOST_ALIASES) return [];
      const values = { ...this.#general };
      this.#byName.set(name, values);
      return [values];
    });
  }

  #set(block: Block, field: Field, value: string): void {
    if (block !== 'all') for (const values of block) values[field] ??= value;
    else if (this.#general[field] === null) {
      this.#general[field] = value;
      for (const values of this.#byName.values()) values[field] ??= value;
    }
  }

  /** As ssh has it: relative ones lie in ~/.ssh, and a pattern stands for what matches it, in the order of names. */
  async #filesOf(written: string): Promise<string[]> {
    const path = expandHome(written, this.#home);
    const whole = isAbsolute(path) ? path : join(this.#home, '.ssh', path);
    return (await this.#matching(whole)).slice(0, MOST_FILES);
  }

  async #matching(path: string): Promise<string[]> {
    if (!hasWildcard(path)) return [path];
    const parent = dirname(path);
    if (parent === path) return [];
    const pattern = path.slice(parent.length).replace(/^[/\\]/, '');
    const found: string[] = [];
    for (const folder of (await this.#matching(parent)).slice(0, MOST_FILES)) {
      const names = hasWildcard(pattern) ? await namesIn(folder) : [pattern];
      const isMatch = (name: string): boolean =>
        !hasWildcard(pattern) || ((pattern.startsWith('.') || !name.startsWith('.')) && matchesWildcard(name, pattern));
      for (const name of names.filter(isMatch).sort()) found.push(join(folder, name));
    }
    return found;
  }
}

/** A name that can be shown and handed to ssh: no pattern, no option, nothing that a screen would not show. */
function isConcrete(name: string): boolean {
  return name !== '' && name.length <= 255 && !/^-|[*?!]|[\p{C}\p{Z}]/u.test(name);
}

/** `null` for what ssh would still make something of (`%`, `${NAME}`), or a screen would not show. */
function simple(value: string): string | null {
  return value === '' || value.length > 255 || /[%$\p{C}]/u.test(value) ? null : value;
}

function portOf(value: string | null): number | null {
  const port = value !== null && /^\d{1,5}$/.test(value) ? Number(value) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}

/** The whole lines of the beginning of a file; '' where there is none that can be read, or it is no text. */
async function readText(file: string, mostBytes: number): Promise<string> {
  try {
    // A pipe would wait for somebody to write.
    const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      if (!(await handle.stat()).isFile()) return '';
      const buffer = Buffer.alloc(mostBytes + 1);
      let length = 0;
      for (let count = -1; count !== 0 && length < buffer.length; length += count)
        count = (await handle.read(buffer, length, buffer.length - length, length)).bytesRead;
      const bytes = buffer.subarray(0, Math.min(length, mostBytes));
      if (bytes.includes(0)) return '';
      const text = bytes.toString('utf8');
      return length > mostBytes ? text.slice(0, text.lastIndexOf('\n') + 1) : text;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isOfFileSystem(error)) return '';
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isOfFileSystem(error)) return [];
    throw error;
  }
}

/** Also a path that Node refuses before it asks the system (a NUL in it). */
function isOfFileSystem(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

/**
 * The words of a line of ssh_config: the keyword in lower case, then its arguments without their quotes. Empty for a blank line, a remark,
 * and a quote that is not closed (ssh refuses the file for it).
 */
function configWords(line: string): string[] {
  const [, keyword, rest = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)$/.exec(line.trimEnd()) ?? [];
  if (keyword === undefined) return [];
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < rest.length; at += 1) {
    const letter = rest[at] ?? '';
    const next = rest[at + 1] ?? '';
    if (letter === '\\' && (next === '"' || next === "'" || next === '\\' || (quote === '' && next === ' '))) {
      word = (word ?? '') + next;
      at += 1;
    } else if (quote !== '') {
      if (letter === quote) quote = '';
      else word = (word ?? '') + letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= '';
    } else if (letter === ' ' || letter === '\t') {
      if (word !== null) words.push(word);
      word = null;
    } else if (letter === '#' && word === null) break;
    else word = (word ?? '') + letter;
  }
  if (quote !== '') return [];
  if (word !== null) words.push(word);
  return [keyword.toLowerCase(), ...words];
}

function hasWildcard(text: string): boolean {
  return /[*?]/.test(text);
}

/** `*` and `?` as ssh has them, in time that goes with the product of the lengths: a hostile pattern must not hold up anybody. */
function matchesWildcard(text: string, pattern: string): boolean {
  let [at, to] = [0, 0];
  let [star, from] = [-1, 0];
  while (at < text.length) {
    if (pattern[to] === '*') {
      star = to;
      from = at;
      to += 1;
    } else if (to < pattern.length && (pattern[to] === '?' || pattern[to] === text[at])) {
      at += 1;
      to += 1;
    } else if (star !== -1) {
      from += 1;
      at = from;
      to = star + 1;
    } else return false;
  }
  while (pattern[to] === '*') to += 1;
  return to === pattern.length;
}
