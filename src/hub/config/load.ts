import { readFile, realpath } from 'node:fs/promises';
import { ConfigError, type ConfigIssue } from './config-error.ts';
import { localFolder, overlap } from './cross-check.ts';
import { parseConfig, placeOf } from './parse.ts';
import type { Config } from './schema.ts';

/** A configuration and where it came from. */
export interface LoadedConfig {
  readonly config: Config;
  /** File it was read from; `null` for the embedded default. */
  readonly file: string | null;
}

/**
 * Reads and validates a configuration file. `home` is the hub user's home folder, used for `~`.
 * @throws {ConfigError} `missing`, `unreadable`, `syntax` or `invalid`; the last two with line and column of every mistake.
 */
export async function loadConfig(file: string, home: string): Promise<LoadedConfig> {
  const text = await readConfigText(file);
  const config = parseConfig(text, file, home);
  const shared = await sharedBehindLinks(config, home, text);
  if (shared !== null) throw new ConfigError('invalid', file, [shared]);
  return { config, file };
}

/**
 * The text of a configuration file.
 * @throws {ConfigError} `missing` or `unreadable`.
 */
export async function readConfigText(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const [kind, reason] =
      code === 'ENOENT' || code === 'ENOTDIR'
        ? (['missing', 'there is no such configuration file; name one with --config, or leave the option out'] as const)
        : (['unreadable', `the configuration file cannot be read: ${(error as Error).message}`] as const);
    throw new ConfigError(kind, file, [{ line: 1, column: 1, at: '', reason }], error);
  }
}

/** Two local machines whose folders are one after links are followed (the text alone cannot show that). */
async function sharedBehindLinks(config: Config, home: string, text: string): Promise<ConfigIssue | null> {
  const seen: { name: string; folder: string }[] = [];
  for (const [name, machine] of Object.entries(config.machines)) {
    if (machine.transport !== 'local') continue;
    const folder = await resolved(localFolder(machine, home));
    const other = seen.find((one) => overlap(one.folder, folder));
    if (other !== undefined) {
      const reason = `uses the same folder as "${other.name}", through a link (${folder})`;
      return { ...placeOf(text, ['machines', name]), at: `machines.${name}`, reason };
    }
    seen.push({ name, folder });
  }
  return null;
}

async function resolved(folder: string): Promise<string> {
  try {
    return (await realpath(folder)).replaceAll('\\', '/');
  } catch (error) {
    // A folder that is not there yet (or cannot be reached) is no mistake of the configuration: the replica reports it.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return folder;
    throw error;
  }
}
