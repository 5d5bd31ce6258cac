import { linkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RelativePath } from '../../../core/domain.ts';
import { TEMP_FOLDER } from '../../replica/private-folder.ts';
import { RemoteCommandFailure, type RemoteCommands } from '../remote-commands.ts';
import { quote } from '../shell-words.ts';
import type { RsyncLink } from './rsync-link.ts';

/** Smaller files are sent as a whole before rsync has begun. */
const WORTH_A_PATCH_BYTES = 8 * 1024 * 1024;
/** Longest time for the copy that is made there. */
const COPY_MS = 120_000;

/** What a patch works with. */
export interface PatchOptions {
  readonly link: RsyncLink;
  readonly commands: () => RemoteCommands;
  /** Absolute claudeDir there. */
  readonly remoteFolder: string;
  /** An absolute path for a new folder on the volume of the source. */
  readonly newFolder: () => string;
}

/**
 * Makes a temp of a large file of which the machine has an earlier state: a copy of that, made there, of which rsync replaces what differs.
 * Nothing but the temp is touched.
 * @param source absolute path of the content on the hub.
 * @param temp path of the temp, which does not exist yet.
 * @param like path of the file to begin with.
 * @returns whether the temp may be there; what it holds has to be looked at. `false`: it is written in another way.
 */
export async function patchTemp(
  { link, commands, remoteFolder, newFolder }: PatchOptions,
  {
    source,
    size,
    temp,
    like,
  }: { readonly source: string; readonly size: number; readonly temp: RelativePath; readonly like: RelativePath },
): Promise<boolean> {
  if (size < WORTH_A_PATCH_BYTES || !(await link.isThere())) return false;
  const name = temp.slice(temp.lastIndexOf('/') + 1);
  const local = newFolder();
  await mkdir(local, { mode: 0o700 });
  try {
    linkSync(source, join(local, name));
    const copy = `umask 077; cd ${quote(remoteFolder)} && exec cp -- ${quote(`./${like}`)} ${quote(`./${temp}`)}`;
    const { code } = await commands().run(copy, { maxBytes: 4_096, timeoutMs: COPY_MS });
    if (code !== 0) return false;
    const to = join(remoteFolder, TEMP_FOLDER);
    return (await link.transfer('push', local, to, [name], { wholeFile: false })) !== false;
  } catch (error) {
    // No second name on this volume, or no command there: then it is sent as a whole.
    const isTried = error instanceof RemoteCommandFailure || (error as NodeJS.ErrnoException).code !== undefined;
    if (!isTried) throw error;
    return false;
  } finally {
    await rm(local, { recursive: true, force: true });
  }
}
