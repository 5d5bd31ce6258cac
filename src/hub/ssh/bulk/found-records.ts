import type { RelativePath } from '../../../core/domain.ts';
import type { EntryStat } from '../../ports/file-system.ts';

/** What `find -printf` is told to say of each thing it finds: a record `TYPE MODE SIZE TIME PATH`, ended by NUL. Paths begin with `./`. */
export const FOUND_FORMAT = String.raw`'%y %m %s %T@ %p\0'`;

/** Something that find found: the facts that SFTP tells (times in whole seconds, no inode). */
export interface Found extends EntryStat {
  /** Below the folder that find was started in. */
  readonly path: RelativePath;
}

const TYPES: Readonly<Record<string, EntryStat['type']>> = { f: 'file', d: 'folder', l: 'symlink' };

/**
 * Reads an answer of records in `FOUND_FORMAT`, whose last record has to be `end CODE`: without it the answer broke off.
 * @param fine codes of find that are no failure. @returns `null` unless all of it is as it should be.
 */
export function parseFound(bytes: Buffer, fine: readonly number[] = [0]): Found[] | null {
  const found: Found[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0, from);
    if (end === -1) return null;
    const record = bytes.toString('utf8', from, end);
    from = end + 1;
    if (from === bytes.length) return fine.some((code) => record === `end ${code}`) ? found : null;
    const one = parseRecord(record);
    if (one === null) return null;
    found.push(one);
  }
  return null;
}

function parseRecord(record: string): Found | null {
  const [, letter = '', mode = '', size, time, path] =
    /^(\S) ([0-7]+) (\d+) (-?\d+)(?:\.\d+)? \.(?:\/([^]+))?$/.exec(record) ?? [];
  if (letter === '') return null;
  const type = TYPES[letter] ?? 'other';
  return {
    path: path ?? '',
    type,
    size: Number(size),
    mtimeMs: Number(time) * 1000,
    inode: '',
    executable: type === 'file' && (parseInt(mode, 8) & 0o100) !== 0,
  };
}
