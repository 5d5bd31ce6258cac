import type { Head, UnixMs } from '../../../core/domain.ts';
import { sessionOf, type MachineSettings } from '../context.ts';

const DAY_MS = 86_400_000;

/** What is known about a key that is about to be created on a machine. */
export interface ScopeQuestion {
  readonly head: Head;
  /** Head of the session that the key belongs to, when it belongs to one. */
  readonly session: Head | undefined;
  /** Project of the session or file; `null` for files that belong to none. */
  readonly project: string | null;
  readonly now: UnixMs;
}

/**
 * Why a machine is not to get a key (`scope` in its configuration), or `null` when it is. Asked before a copy is made; copies that
 * are there already stay and are kept level.
 */
export function outOfScope(scope: MachineSettings['scope'], asked: ScopeQuestion): string | null {
  const { head, session, project } = asked;
  if (scope.maxFileBytes !== null && head.size > scope.maxFileBytes) {
    return `larger than this machine takes (${Math.round(scope.maxFileBytes / 1_000_000)} MB)`;
  }
  const dated = session ?? head;
  if (
    scope.maxAgeDays !== null &&
    sessionOf(head.key) !== null &&
    asked.now - dated.mtimeMs > scope.maxAgeDays * DAY_MS
  ) {
    return `older than this machine takes (${scope.maxAgeDays} days)`;
  }
  if (scope.projects !== null && project !== null && !scope.projects.some((name) => isNamed(project, name))) {
    return 'of a project that this machine does not take';
  }
  return null;
}

/** A project is meant by its id, by its decoded id (`code/app`), or by the last part of that. */
function isNamed(project: string, name: string): boolean {
  const plain = decodeURIComponent(project);
  return project === name || plain === name || plain.split('/').at(-1) === name;
}
