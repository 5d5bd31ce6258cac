import { bytes, count, pointInTime } from '../figures.ts';
import type { ExportedConversation } from './conversation.ts';

/** What stands above an exported conversation: names and values. */
export function factsOf({ detail: { session, branches } }: ExportedConversation): [name: string, value: string][] {
  const { tokens } = session;
  const facts: [string, string | null][] = [
    ['Session', session.session],
    ['Project', session.projectName ?? session.project],
    ['Folder', session.cwd],
    ['Branch', session.gitBranch],
    ['Machines', session.archivedOnly ? 'in the archive only' : session.machines.join(', ')],
    ['From', session.firstAt === null ? null : pointInTime(session.firstAt)],
    ['To', session.lastAt === null ? null : pointInTime(session.lastAt)],
    ['Models', Object.keys(session.models).join(', ')],
    ['Prompts', String(session.prompts)],
    [
      'Tokens',
      `${tokens.input} in, ${tokens.output} out, ${tokens.cacheRead} from cache, ${tokens.cacheWrite} to cache`,
    ],
    ['Size', bytes(session.bytes)],
    ['Other branches', branches.length === 0 ? null : count(branches.length, 'branch', 'branches')],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null && fact[1] !== '');
}
