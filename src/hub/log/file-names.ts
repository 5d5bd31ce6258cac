import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Name of a log's file by its number: 0 is written to, 1 was put aside last. */
export function numbered(file: string, number: number): string {
  return number === 0 ? file : `${file}.${number}`;
}

/** Numbers of a log's files that there are now, in no order; none when its folder is not there. Others (`.2026`, `.gz`) are not ours. */
export function numbersOf(file: string): number[] {
  const name = basename(file);
  return namesIn(dirname(file)).flatMap((found) => {
    if (found === name) return [0];
    const number = found.startsWith(`${name}.`) ? found.slice(name.length + 1) : '';
    return /^(?:[1-9][0-9]?|100)$/.test(number) ? [Number(number)] : [];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
