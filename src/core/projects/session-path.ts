import { folderName } from './folder-name.ts';

/**
 * The project path of a session that lies in the project folder `folder` of the machine where it was recorded (sync.md section 5).
 *
 * @param cwds every `cwd` and `relocatedCwd` of the transcript, in file order
 * @returns the latest of them that encodes to `folder` (a session wanders through subfolders, but stays filed under one path);
 *   else the first, where the session was started; `null` when none was recorded.
 */
export function projectPathOf(folder: string, cwds: readonly string[]): string | null {
  return cwds.findLast((cwd) => folderName(cwd) === folder) ?? cwds[0] ?? null;
}
