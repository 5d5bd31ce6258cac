import { applyEdits, modify, parse, type ParseError } from 'jsonc-parser';
import type { Random } from '../ports/clock.ts';
import { FileSystemError, type FileSystem } from '../ports/file-system.ts';
import { PRIVATE_FOLDER, TEMP_FOLDER, UNDO_FOLDER } from '../replica/private-folder.ts';

/** Claude Code's own, when settings.json says nothing. */
const DEFAULT_DAYS = 30;
/** What is advised. */
export const CLEAN_UP_DAYS_WANTED = 365;

export const SETTINGS_FILE = 'settings.json';
const MOST_BYTES = 1024 * 1024;

/** After how many days Claude Code deletes conversations. */
export interface CleanUpAge {
  readonly days: number;
  readonly isDefault: boolean;
  /** Why the file does not tell; `days` is the default then. */
  readonly problem: string | null;
}

/** What a settings.json says; `null`: there is none. */
export function cleanUpAge(text: string | null): CleanUpAge {
  const usual = { days: DEFAULT_DAYS, isDefault: true };
  if (text === null) return { ...usual, problem: null };
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ...usual, problem: 'settings.json cannot be read as JSON' };
  }
  const days =
    typeof value === 'object' && value !== null && 'cleanupPeriodDays' in value ? value.cleanupPeriodDays : undefined;
  if (typeof days === 'number') return { days, isDefault: false, problem: null };
  return {
    ...usual,
    problem: days === undefined ? null : 'cleanupPeriodDays in settings.json is not a number',
  };
}

/** The same text with another `cleanupPeriodDays`: comments, order and indentation stay. @throws {SettingsRefused} it is no JSON object. */
export function withCleanUpDays(text: string | null, days: number): string {
  if (text === null || text.trim() === '') return `{\n  "cleanupPeriodDays": ${days}\n}\n`;
  const mistakes: ParseError[] = [];
  const value: unknown = parse(text, mistakes, { allowTrailingComma: false });
  if (mistakes.length > 0 || typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SettingsRefused('it cannot be read as a JSON object', 'Mend it there, and try again.');
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
  return applyEdits(text, modify(text, ['cleanupPeriodDays'], days, { formattingOptions }));
}

/** settings.json of a claudeDir is not changed. */
export class SettingsRefused extends Error {
  readonly next: string;

  constructor(why: string, next: string) {
    super(`settings.json is not changed: ${why}`);
    this.name = 'SettingsRefused';
    this.next = next;
  }
}

/**
 * The text of settings.json; `null` when there is none.
 * @param fs rooted at claudeDir. @throws {SettingsRefused} for a link, a folder or a giant. @throws {FileSystemError}
 */
export async function readSettings(fs: FileSystem): Promise<string | null> {
  const look = await fs.lstat(SETTINGS_FILE);
  if (look === null) return null;
  if (look.type !== 'file')
    throw new SettingsRefused(`it is a ${look.type}`, 'Set cleanupPeriodDays yourself where it leads to.');
  if (look.size > MOST_BYTES) throw new SettingsRefused('it is larger than 1 MB', 'Look at it there.');
  return (await bytesOf(fs)).toString('utf8');
}

/**
 * Writes `cleanupPeriodDays`. The new file replaces the old one in one step; the old one is kept beside the files that the hub puts aside.
 * @param fs rooted at claudeDir, which exists.
 * @returns path below claudeDir where the old one is; `null` when there was none, or it said so already.
 * @throws {SettingsRefused} @throws {FileSystemError} settings.json is as it was.
 */
export async function raiseCleanUpAge(fs: FileSystem, random: Random, days: number): Promise<string | null> {
  const before = await readSettings(fs);
  const text = withCleanUpDays(before, days);
  if (text === before) return null;
  for (const folder of [PRIVATE_FOLDER, TEMP_FOLDER, UNDO_FOLDER]) await ensureFolder(fs, folder);
  const kept = before === null ? null : `${UNDO_FOLDER}/${SETTINGS_FILE}-${random.hex(6)}`;
  if (kept !== null) await createFile(fs, kept, before ?? '');
  const temp = `${TEMP_FOLDER}/${SETTINGS_FILE}-${random.hex(6)}`;
  await createFile(fs, temp, text);
  try {
    // Claude Code or an editor may have written it meanwhile.
    if ((await readSettings(fs)) !== before)
      throw new SettingsRefused('somebody else is changing it right now', 'Try again.');
    await fs.renameOver(temp, SETTINGS_FILE).catch(async (error: unknown) => {
      if (before !== null || !FileSystemError.is(error, 'unsupported')) throw error;
      await fs.rename(temp, SETTINGS_FILE);
    });
  } catch (error) {
    await fs.unlink(temp).catch((failure: unknown) => {
      if (!FileSystemError.is(failure)) throw failure;
    });
    throw error;
  }
  return kept;
}

async function bytesOf(fs: FileSystem): Promise<Buffer> {
  const file = await fs.open(SETTINGS_FILE, 'read');
  try {
    const pieces: Buffer[] = [];
    for (let at = 0; at <= MOST_BYTES;) {
      const piece = await file.read(at, MOST_BYTES);
      if (piece.length === 0) break;
      pieces.push(piece);
      at += piece.length;
    }
    return Buffer.concat(pieces);
  } finally {
    await file.close();
  }
}

async function createFile(fs: FileSystem, path: string, text: string): Promise<void> {
  const file = await fs.open(path, 'create');
  try {
    await file.write(Buffer.from(text));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function ensureFolder(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.makeFolder(path);
  } catch (error) {
    if (!FileSystemError.is(error, 'exists')) throw error;
    // A link here would let what is kept be written elsewhere.
    if ((await fs.lstat(path))?.type !== 'folder') throw error;
  }
}
