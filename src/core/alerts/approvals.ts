import type { Finding } from './alert.ts';

/** Content that Claude Code executes, from machines with trust `data` (docs/sync.md section 10). */
export function approvals(waiting: number): Finding[] {
  if (waiting === 0) return [];
  const changes = waiting === 1 ? '1 change' : `${waiting} changes`;
  return [
    {
      id: 'approvals',
      severity: 'warning',
      message: `${changes} of executable content wait${waiting === 1 ? 's' : ''} for your approval`,
      unaffected: 'Until you approve it, it reaches no other machine; everything else goes on syncing.',
      next: 'claude-sync approve',
      machine: null,
      key: null,
    },
  ];
}
