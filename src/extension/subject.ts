import type { Subject } from './tree/tree-node.ts';

/** What the row that a command was called on is about, when it is of one of these kinds; else `null`. */
export function subjectOf<K extends Subject['kind']>(
  argument: unknown,
  ...kinds: readonly K[]
): Extract<Subject, { kind: K }> | null {
  const { subject } = Object(argument) as { readonly subject?: Subject };
  if (subject === undefined) return null;
  return kinds.includes(subject.kind as K) ? (subject as Extract<Subject, { kind: K }>) : null;
}
