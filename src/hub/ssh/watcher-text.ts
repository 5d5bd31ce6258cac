import { stripVTControlCharacters } from 'node:util';
import { troubleOf } from '../replica/chokidar-watch.ts';

/** The last line of `text` that says something, fit to be shown. */
export function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) =>
    stripVTControlCharacters(line)
      .replaceAll(/\p{Cc}/gu, '')
      .trim(),
  );
  return (lines.filter((line) => line !== '').at(-1) ?? 'without a word').slice(0, 300);
}

/** `text` in an extended regular expression of POSIX, as itself. */
export function escapeRegex(text: string): string {
  return text.replaceAll(/[.[\]\\*^$()+?{}|]/g, String.raw`\$&`);
}

/** What a watcher on Linux says about limits of inotify, for the user, with what raises them; `null` when it is about something else. */
export function limitOf(stderr: string): string | null {
  if (/upper limit on inotify watches|No space left on device/i.test(stderr))
    return `${troubleOf('ENOSPC', null)} there (sudo sysctl fs.inotify.max_user_watches=1048576)`;
  if (/Too many open files|max_user_instances/i.test(stderr))
    return `${troubleOf('EMFILE', null)} there (sudo sysctl fs.inotify.max_user_instances=1024)`;
  return null;
}
