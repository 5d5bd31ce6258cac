import { mkdir, stat } from 'node:fs/promises';
import { HubError } from '../../protocol/errors.ts';
import type { Random } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { createNodeFileSystem } from '../replica/node-file-system.ts';
import { wirePath } from '../ssh/drive-path.ts';
import type { SshSession } from '../ssh/session.ts';
import { raiseCleanUpAge } from './clean-up-age.ts';
import { filesOf, folderState } from './remote-facts.ts';

/** What a user wants done on a machine before its first sync. */
export interface Preparation {
  /** Make claudeDir where it is missing, 0700. */
  readonly createClaudeDir: boolean;
  /** `cleanupPeriodDays` for its settings.json; `null` leaves it alone. */
  readonly cleanUpDays: number | null;
  readonly random: Random;
}

/** What was done. */
export interface Prepared {
  readonly createdClaudeDir: boolean;
  /** Absolute path of the settings.json of before; `null` when nothing of it was replaced. */
  readonly settingsKept: string | null;
}

export const UNPREPARED: Prepared = { createdClaudeDir: false, settingsKept: null };

/** @throws {FileSystemError} {SettingsRefused} */
export async function prepareRemote(session: SshSession, preparation: Preparation): Promise<Prepared> {
  const { claudeDir } = session.facts;
  const outside = filesOf(session, '/');
  const isMissing = (await folderState(outside, claudeDir)) === 'missing';
  const createdClaudeDir = isMissing && preparation.createClaudeDir;
  if (createdClaudeDir) await outside.makeFolder(wirePath(claudeDir).slice(1));
  return { createdClaudeDir, settingsKept: await raise(filesOf(session, claudeDir), claudeDir, preparation) };
}

/** The same for a folder of this computer. @throws {HubError} {FileSystemError} {SettingsRefused} */
export async function prepareLocal(claudeDir: string, preparation: Preparation): Promise<Prepared> {
  const unchanged = 'Nothing was changed.';
  const failed = (error: NodeJS.ErrnoException): never => {
    const next = error.code === 'ENOENT' ? 'Make the folder that it is to lie in, or correct the path.' : null;
    throw new HubError('io', `${claudeDir} cannot be used: ${error.message}`, { unchanged, next, cause: error });
  };
  const there = await stat(claudeDir).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? null : failed(error),
  );
  if (there !== null && !there.isDirectory()) throw new HubError('refused', `${claudeDir} is no folder`, { unchanged });
  const createdClaudeDir = there === null && preparation.createClaudeDir;
  if (createdClaudeDir) await mkdir(claudeDir, { mode: 0o700 }).catch(failed);
  return {
    createdClaudeDir,
    settingsKept: await raise(createNodeFileSystem(claudeDir), claudeDir, preparation),
  };
}

async function raise(own: FileSystem, claudeDir: string, { cleanUpDays, random }: Preparation): Promise<string | null> {
  if (cleanUpDays === null) return null;
  const kept = await raiseCleanUpAge(own, random, cleanUpDays);
  return kept === null ? null : `${claudeDir}/${kept}`;
}
