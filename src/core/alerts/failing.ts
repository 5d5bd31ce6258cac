import type { Finding } from './alert.ts';
import { commandWord } from './command-word.ts';
import type { MachineFacts } from './facts.ts';

/** This many failures without a success in between are no coincidence. */
export const FAILURES_IN_A_ROW = 3;

/** Files that were given up on, or a machine on which nothing succeeds. */
export function failing({ name, failures }: MachineFacts): Finding[] {
  const { givenUp, inARow } = failures;
  if (givenUp === 0 && inARow < FAILURES_IN_A_ROW) return [];
  const files = givenUp === 1 ? '1 file' : `${givenUp} files`;
  const message =
    givenUp > 0
      ? `${files} could not be brought level on ${name} after three tries (${reasonOf(failures.reason)})`
      : `${inARow} tries in a row failed on ${name} (${reasonOf(failures.lastReason)}); it is tried again`;
  return [
    {
      id: `failed/${name}`,
      severity: givenUp > 0 ? 'error' : 'warning',
      message,
      unaffected: 'Nothing is lost: the hub keeps what each machine has. Every other file goes on syncing.',
      next: `claude-sync doctor names what is wrong; claude-sync sync ${commandWord(name)} tries again.`,
      machine: name,
      key: null,
    },
  ];
}

/** Without the names of the hub's own files, which are others with each try. */
function reasonOf(reason: string | null): string {
  return reason?.replace(/(\.claude-sync\/(?:undo|tmp)\/)[^\s'"]+/g, '$1...') ?? 'no reason is known';
}
