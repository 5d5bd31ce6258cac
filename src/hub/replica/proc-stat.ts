/**
 * Start time of a process, in clock ticks since boot, from the line in its `/proc/<pid>/stat`; `null` when it has ended (a zombie) or
 * the line is something else.
 */
export function startTicksOf(line: string): string | null {
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const afterCommand = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const state = afterCommand[0];
  if (state === 'Z' || state === 'X') return null;
  return afterCommand[19] ?? null;
}
