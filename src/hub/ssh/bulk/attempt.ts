import { FileSystemError } from '../../ports/file-system.ts';
import type { RunOptions, RunResult } from '../remote-commands.ts';
import type { SshSession } from '../session.ts';

/**
 * Runs a command on a machine that may do without. @returns `null` when there was no result although the connection is there: no shell, too
 * long, too late. @throws {FileSystemError} `disconnected`
 */
export type Attempt = (command: string, options: RunOptions) => Promise<RunResult | null>;

/** @param session the one that there is when a command is run. */
export function attemptIn(session: () => Pick<SshSession, 'commands' | 'channel'>): Attempt {
  return async (command, options) => {
    const { commands, channel } = session();
    try {
      return await commands.run(command, options);
    } catch (error) {
      if (channel.isLost) throw new FileSystemError('disconnected', 'run a command', '', error);
      return null;
    }
  };
}
