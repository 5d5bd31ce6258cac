import { plainLine } from '../../client/plain-text.ts';
import type { Alert } from '../../protocol/alerts.ts';
import { localTime } from '../figures.ts';
import { factNode, type TreeNode } from '../tree/tree-node.ts';

const ICONS: Readonly<Record<Alert['severity'], NonNullable<TreeNode['icon']>>> = {
  error: { name: 'error', color: 'list.errorForeground' },
  warning: { name: 'warning', color: 'list.warningForeground' },
  info: { name: 'info' },
};

/** A row for each alert, the worst first as the hub has them; below it what goes on as before and what to do. */
export function alertNodes(alerts: readonly Alert[]): TreeNode[] {
  return alerts.map((alert) => {
    const { id, severity, machine, next, unaffected, at } = alert;
    const message = plainLine(alert.message);
    const where = machine === null ? '' : `${plainLine(machine)}: `;
    return {
      id,
      label: `${where}${message}`,
      icon: ICONS[severity],
      tooltip: [
        `${where}${message}`,
        plainLine(unaffected),
        ...(next === null ? [] : [`Next: ${plainLine(next)}`]),
        `Since ${localTime(at)}`,
      ],
      spoken: `${severity}: ${where}${message}${next === null ? '' : `. Next: ${plainLine(next)}`}`,
      flags: ['alert', severity, ...(machine === null ? [] : ['machine'])],
      subject: { kind: 'alert', id },
      // What it is worth comes with its rows, so that it is there without a mouse.
      isOpen: severity === 'error',
      children: [
        ...(next === null ? [] : [factNode(`${id}/next`, 'Next', plainLine(next), { name: 'arrow-right' })]),
        factNode(`${id}/unaffected`, 'Goes on', plainLine(unaffected)),
        factNode(`${id}/at`, 'Since', localTime(at)),
      ],
    };
  });
}
