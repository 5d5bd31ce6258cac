import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SshMachine } from '../../test/black-box/ssh-machine.ts';
import { run } from '../large-tree.ts';
import { quote } from '../../src/hub/ssh/shell-words.ts';
import { hostOf, sshWords } from './tail.ts';

/** With and without compression: which one is faster depends on the network and on the processors. */
export type RsyncWay = '-a' | '-az';

/**
 * Copies a tree to a machine as a user does who has no hub, over an ssh of its own.
 * @param folder on the machine; nothing is deleted there.
 * @returns s until it has ended; what was written may still be on its way to the disk, as with the hub.
 */
export function rsyncTo(machine: SshMachine, way: RsyncWay, tree: string, folder: string): Promise<number> {
  return rsync(machine, way, `${tree}/`, `${hostOf(machine)}:${folder}/`);
}

/** As `rsyncTo`, from a machine. @param tree there. */
export function rsyncFrom(machine: SshMachine, way: RsyncWay, tree: string, folder: string): Promise<number> {
  return rsync(machine, way, `${hostOf(machine)}:${tree}/`, `${folder}/`);
}

async function rsync(machine: SshMachine, way: RsyncWay, from: string, to: string): Promise<number> {
  await run('sync');
  const shell = sshWords(machine).map(quote).join(' ');
  const words = [way, '--mkpath', '--exclude', '/.claude-sync', '-e', shell, from, to];
  const began = performance.now();
  const child = spawn('rsync', words, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`rsync ended with code ${code}`);
  return (performance.now() - began) / 1_000;
}
