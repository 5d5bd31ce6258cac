import { basename, dirname } from 'node:path/posix';
import { bytes } from '../../client/figures.ts';
import { plainLine } from '../../client/plain-text.ts';
import type { Approval } from '../../protocol/approve.ts';
import type { Conflict } from '../../protocol/conflicts.ts';
import { COMMANDS } from '../contributions.ts';
import { localTime } from '../figures.ts';
import type { TreeNode } from '../tree/tree-node.ts';

/** What the view shows. */
export interface ConflictRows {
  readonly open: readonly Conflict[];
  readonly approvals: readonly Approval[];
  /** Asks the hub for those that were decided, newest first. */
  readonly decided: () => Promise<readonly Conflict[]>;
}

/** Most decided conflicts that are listed: a log of years would be no list. */
const MOST_DECIDED = 100;

/** Open conflicts, what waits for approval, and below them what was decided and can be decided again. */
export function conflictNodes({ open, approvals, decided }: ConflictRows): TreeNode[] {
  const groups = [...open.map(conflictNode), ...approvals.map(approvalNode)];
  // Without anything to decide the welcome text stands here instead, which a single group would hide.
  if (groups.length === 0) return [];
  return [...groups, decidedNode(decided)];
}

/** The group of those that were decided. */
export function decidedNode(decided: ConflictRows['decided']): TreeNode {
  return {
    id: 'decided',
    label: 'Decided',
    icon: { name: 'history' },
    flags: ['group'],
    children: async () => (await decided()).slice(0, MOST_DECIDED).map(conflictNode),
  };
}

function conflictNode(conflict: Conflict): TreeNode {
  const { id, key, at, status, sides, strategy, winner, resolution } = conflict;
  const label = plainLine(basename(key));
  const between = sides.map(({ machine }) => plainLine(machine)).join(' ↔ ');
  const isOpen = status === 'open';
  const outcome = isOpen
    ? winner === null
      ? 'waits for you'
      : `${plainLine(winner)} is in force`
    : plainLine(resolution ?? (winner === null ? status : `${winner} won`));
  return {
    id: `conflict/${id}`,
    label,
    description: `${between} · ${outcome}`,
    icon: isOpen ? { name: 'git-merge', color: 'list.warningForeground' } : { name: 'check' },
    tooltip: [plainLine(key), `${between}, since ${localTime(at)}`, `${outcome} (${plainLine(strategy)})`],
    spoken: `Conflict about ${plainLine(key)}, ${sides.map(({ machine }) => plainLine(machine)).join(' against ')}, ${outcome}`,
    flags: ['conflict', isOpen ? 'open' : 'decided'],
    opens: COMMANDS.openConflict,
    subject: { kind: 'conflict', id },
    children: sides.map(({ machine, sha256, bytes: size, mtimeMs }) => {
      const what = sha256 === null ? 'deleted there' : bytes(size);
      const inForce = machine === winner ? ', in force' : '';
      return {
        id: `conflict/${id}/${machine}`,
        label: plainLine(machine),
        description: `${what}, ${localTime(mtimeMs)}${inForce}`,
        icon: { name: sha256 === null ? 'trash' : 'file' },
        tooltip: [`${plainLine(key)} on ${plainLine(machine)}`, `${what}, changed ${localTime(mtimeMs)}${inForce}`],
        spoken: `Side of ${plainLine(machine)}: ${what}, changed ${localTime(mtimeMs)}${inForce}`,
        flags: ['side', isOpen ? 'open' : 'decided'],
        subject: { kind: 'side', id, machine },
      };
    }),
  };
}

function approvalNode({ id, key, machine, at, sha256, bytes: size, executable }: Approval): TreeNode {
  const what = sha256 === null ? 'wants to delete it' : `wants to change it (${bytes(size)})`;
  const from = `${plainLine(machine)} ${what}`;
  return {
    id: `approval/${id}`,
    label: plainLine(basename(key)),
    description: `${from}${executable ? ', executable' : ''}`,
    icon: { name: 'shield', color: 'list.warningForeground' },
    tooltip: [
      plainLine(key),
      `${from}, since ${localTime(at)}`,
      'It is run by Claude Code, so it waits for your word.',
    ],
    spoken: `Waits for approval: ${plainLine(basename(key))}${key.includes('/') ? ` in ${plainLine(dirname(key))}` : ''}, ${from}`,
    flags: ['approval'],
    opens: COMMANDS.showApproval,
    subject: { kind: 'approval', id },
  };
}
