/** Variables that tell a process that a service manager started it. */
export const SERVICE_VARIABLES = [
  'CLAUDE_SYNC_SERVICE',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'NOTIFY_SOCKET',
  'SYSTEMD_EXEC_PID',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
] as const;

/**
 * The service that this process is the main process of, by what its definition calls it (`CLAUDE_SYNC_SERVICE`), or `systemd`; `null` for a
 * process that nobody starts again when it ends.
 *
 * systemd says which process it started (`SYSTEMD_EXEC_PID`, systemd.exec(5)): the same variable in a shell below an editor that runs as a
 * unit names another process.
 */
export function serviceOf(env: Readonly<Record<string, string | undefined>>, pid: number): string | null {
  const named = env['CLAUDE_SYNC_SERVICE'];
  if (named !== undefined && named !== '') return named;
  return env['SYSTEMD_EXEC_PID'] === String(pid) ? 'systemd' : null;
}
