import type { Finding } from '../../protocol/doctor.ts';
import type { PullsStatus } from '../../protocol/pulls.ts';

/** What `doctor` says about the pull requests; nothing while they are off, or GitHub was not asked yet. */
export function pullFindings({ state, message, next, warnings, viewer, repositories }: PullsStatus): Finding[] {
  const finding = { check: 'pull-requests', machine: null } as const;
  switch (state) {
    case 'off':
    case 'never':
      return [];
    case 'ok':
      return [
        { ...finding, severity: 'ok', message: `GitHub as ${viewer ?? '?'}, ${repositories} repositories`, fix: null },
      ];
    case 'partial':
      return warnings.map((warning) => ({
        ...finding,
        severity: 'warning',
        message: warning,
        fix: 'claude-sync prs shows what could be had.',
      }));
    default:
      return [
        {
          ...finding,
          severity: 'warning',
          message: message ?? 'GitHub cannot be asked',
          fix: next ?? 'claude-sync prs --refresh tries it again.',
        },
      ];
  }
}
