import { appendFileSync, closeSync, fstatSync, openSync, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { recordLine, type SessionFacts } from './records.ts';

/** A line that has not arrived after this long never will. */
const HOPELESS_MS = 20_000;
/** The bench asks the file this often although the kernel tells it: it could miss an event, too. */
const ASK_AGAIN_MS = 20;

/** Where lines are written, and where they are waited for (absolute paths). */
export interface Route {
  readonly facts: SessionFacts;
  readonly source: string;
  readonly targets: readonly string[];
}

/**
 * Appends lines of `bytes` bytes one after the other and times each, from before the write until it can be read in every target.
 * @param most longest pause between two lines, ms; the shortest is 60. By default 140, as between the records of a conversation. Where
 * the source is looked at from time to time it has to be about as long as that takes, else every line comes right after a look.
 * @returns ms per line. @throws when the contents differ in the end.
 */
export async function timeAppends(route: Route, count: number, bytes: number, most = 140): Promise<number[]> {
  const { facts, source, targets } = route;
  const times: number[] = [];
  const files = targets.map((path) => openSync(path, 'r'));
  let wake: () => void = () => {};
  const watchers = targets.map((path) => watch(dirname(path), () => wake()));
  try {
    let parent: string | null = null;
    for (let number = 0; number < count; number += 1) {
      await pause(60 + facts.dice.below(most - 60));
      const { line, uuid } = recordLine(facts, parent, bytes);
      parent = uuid;
      const sizes = files.map((file) => fstatSync(file).size + line.length);
      const arrived = (): boolean => files.every((file, at) => fstatSync(file).size >= (sizes[at] ?? 0));
      const began = performance.now();
      appendFileSync(source, line);
      await new Promise<void>((resolve, reject) => {
        const again = setInterval(() => wake(), ASK_AGAIN_MS);
        wake = () => {
          const late = performance.now() - began > HOPELESS_MS;
          if (!late && !arrived()) return;
          clearInterval(again);
          wake = () => {};
          if (late) reject(new Error(`line ${number} did not arrive within ${HOPELESS_MS} ms`));
          else resolve();
        };
        wake();
      });
      times.push(performance.now() - began);
    }
  } finally {
    for (const watcher of watchers) watcher.close();
    for (const file of files) closeSync(file);
  }
  const expected = readFileSync(source);
  for (const path of targets)
    if (!readFileSync(path).equals(expected)) throw new Error(`${path} differs from what was written`);
  return times;
}
