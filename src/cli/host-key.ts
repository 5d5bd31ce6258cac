import type { HostKeyQuestion } from '../protocol/probe.ts';
import { HubError } from '../protocol/errors.ts';
import type { Cli } from './cli.ts';
import { confirm } from './confirm.ts';
import { plainLine } from '../client/plain-text.ts';

/** Whether there is somebody to ask. */
export function hasTerminal({ world }: Pick<Cli, 'world'>): boolean {
  return world.stdin.isTTY === true && world.stderr.isTTY === true;
}

/**
 * Gets the user's word on a host key that is not known: a fingerprint that was given as an option, or an answer on the terminal.
 * @param given fingerprints that the user named. @returns the fingerprint. @throws {HubError} `refused` without the user's word.
 */
export async function acceptedFingerprint(
  cli: Cli,
  question: HostKeyQuestion,
  given: readonly string[],
): Promise<string> {
  const { server, type, fingerprint, file, compareWith } = question;
  if (given.includes(fingerprint)) return fingerprint;
  const isAsked = hasTerminal(cli);
  if (isAsked) {
    cli.world.stderr.write(
      [
        `${plainLine(server)} is not known yet. It offers the ${plainLine(type)} host key`,
        `  ${plainLine(fingerprint)}`,
        'Compare it with what this shows on that machine itself:',
        `  ${plainLine(compareWith)}`,
        '',
      ].join('\n'),
    );
    const asked = `Is it the same? Then it is written to ${plainLine(file)}.`;
    if (await confirm(cli.world, asked, '--accept-host-key FINGERPRINT')) return fingerprint;
  }
  const other = given.length === 0 || isAsked ? '' : `, which is not ${given.join(' or ')}`;
  throw new HubError(
    'refused',
    `${server} offers the ${type} host key ${fingerprint}${other}; nobody has accepted it yet`,
    {
      unchanged: 'Nothing was changed, and nothing of you was sent there.',
      next: `Compare it with what ${compareWith} shows on that machine itself. Only if it is the same: --accept-host-key ${fingerprint}`,
    },
  );
}
