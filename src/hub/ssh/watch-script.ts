import { quote } from './shell-words.ts';

/** Exit code of the script when the folder is not there. */
export const NO_FOLDER = 66;

/** The file is touched so many times at most: every 0.2 s where sleep knows fractions, for 20 s. */
const MOST_TOUCHES = 100;

/** How a watcher is run. */
export interface WatchScriptOptions {
  /** Absolute folder to watch. */
  readonly root: string;
  /** Absolute path of the program and its words. */
  readonly words: readonly string[];
  /** A file that is made and removed again and again until the first line of input comes. Nothing of it is left behind. */
  readonly touch: string | null;
}

/**
 * A script that runs a watcher and ends it when the input ends, that is, when the hub closes the channel or the connection is gone in
 * whatever way: by itself a watcher lingers until its next event fails to be written.
 *
 * The shell waits for the watcher and hands on its exit code; beside it a subshell reads the input, and has a job that touches a file.
 * No process is killed by a number that may be another one's by then: each is a child that nobody has waited for. The watcher is
 * killed, not asked: fswatch heeds a request only after its next event, and there is nothing to lose.
 */
export function watchScript({ root, words, touch }: WatchScriptOptions): string {
  const touched = touch === null ? '' : quote(touch);
  // It ends by itself as well: whoever would end it may have been killed.
  const touching = [
    `( n=0; while [ "$n" -lt ${MOST_TOUCHES} ]; do n=$((n + 1)); : > ${touched}; rm -f ${touched};`,
    `sleep 0.2 || sleep 1; done ) </dev/null 3<&- & t=$!;`,
  ].join(' ');
  const stopTouching = `if [ -n "$t" ]; then kill -9 "$t"; wait "$t"; t=; rm -f ${touched}; fi;`;
  const reading =
    touch === null
      ? `while read -r _; do :; done;`
      : `${touching} while read -r _; do ${stopTouching} done; ${stopTouching}`;
  return [
    `if [ ! -d ${quote(root)} ]; then echo "no such folder" >&2; exit ${NO_FOLDER}; fi`,
    // A job in the background gets an empty input unless it is given one.
    `cd /; LC_ALL=C; export LC_ALL; exec 3<&0 </dev/null; t=`,
    `${words.map(quote).join(' ')} 3<&- & w=$!`,
    `( ${reading} kill -9 "$w" ) <&3 >/dev/null 2>&1 & r=$!`,
    // The shell's own remarks on how it ended are of no use to anybody.
    `exec 3<&- 2>/dev/null; wait "$w"; code=$?`,
    // The watcher ended by itself: the reader has to go too, or the channel stays.
    `kill -9 "$r"; exit "$code"`,
  ].join('\n');
}
