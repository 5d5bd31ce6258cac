import { UsageError } from './failure.ts';

/** Where an SSH server is. */
export interface Destination {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/**
 * `[user@]host[:port]` as a user writes it; the host may be an alias of ssh_config, and an IPv6 address is in brackets when a port follows.
 * @throws {UsageError}
 */
export function parseDestination(text: string): Destination {
  const at = text.lastIndexOf('@');
  const place = text.slice(at + 1);
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)|([0-9a-fA-F:]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d+))?$/.exec(place);
  const host = parts?.[1] ?? parts?.[2] ?? parts?.[3];
  const user = at < 0 ? undefined : text.slice(0, at);
  const port = parts?.[4] === undefined ? undefined : Number(parts[4]);
  if (host === undefined || host.startsWith('-') || user === '' || (port !== undefined && (port < 1 || port > 65_535)))
    throw new UsageError(
      `"${text}" names no SSH server: write [user@]host[:port], for example thh3@rog or mac.local:2222`,
    );
  return { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
}
