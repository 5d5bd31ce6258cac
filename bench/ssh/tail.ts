import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { quote } from '../../src/hub/ssh/shell-words.ts';
import type { SshMachine } from '../../test/black-box/ssh-machine.ts';
import type { Route } from '../append.ts';

/** Words of a command line that runs something on a machine, with what it takes to reach it as the hub does. */
export function sshWords(machine: SshMachine): string[] {
  const entry = machine.entry as { host: string; port: number; identityFile: string; knownHostsFile: string };
  const options = ['IdentitiesOnly=yes', 'BatchMode=yes', `UserKnownHostsFile=${entry.knownHostsFile}`];
  const words = ['ssh', '-F', 'none', '-p', `${entry.port}`, '-i', entry.identityFile];
  for (const option of options) words.push('-o', option);
  return [...words, '-l', 'root'];
}

/** Host that a machine is reached at. */
export function hostOf(machine: SshMachine): string {
  return (machine.entry as { host: string }).host;
}

/**
 * The least that anything can do over SSH: `tail -F` on the one machine, and what it says is appended by `cat` on the others. No checks,
 * no archive, nothing is known of a file. What the hub takes is told beside it. `machines` are those of the route, source first.
 */
export async function overTail<T>(
  machines: readonly SshMachine[],
  route: Route,
  measure: () => Promise<T>,
): Promise<T> {
  const [source, ...targets] = machines;
  if (source === undefined) throw new Error('a route begins somewhere');
  const on = (machine: SshMachine, command: string): string =>
    [...sshWords(machine), hostOf(machine), command].map(quote).join(' ');
  // From the end as it is now: lines that come before it runs are not lost.
  const from = statSync(route.source).size + 1;
  const ends = targets.map((machine, at) => `>(${on(machine, `cat >> ${quote(route.targets[at] ?? '')}`)})`);
  const pipe = `${on(source, `exec tail -c +${from} -F ${quote(route.source)}`)} | tee ${ends.join(' ')} > /dev/null`;
  // A process group, because a shell does not take its pipe along.
  const child = spawn('bash', ['-c', pipe], { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  const ended = once(child, 'exit');
  try {
    return await measure();
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await ended;
  }
}
