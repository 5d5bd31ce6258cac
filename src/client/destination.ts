/** Where an SSH server is. */
export interface Destination {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/** What to say of a text that is none. @param text as the user wrote it. */
export function noDestination(text: string): string {
  return `"${text}" names no SSH server: write [user@]host[:port], for example thh3@rog or mac.local:2222`;
}

/**
 * `[user@]host[:port]` as a user writes it; the host may be an alias of ssh_config, and an IPv6 address is in brackets when a port follows.
 * @returns `null` where it makes no sense; a host that begins with `-` would be an option of ssh.
 */
export function readDestination(text: string): Destination | null {
  const at = text.lastIndexOf('@');
  const place = text.slice(at + 1);
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)|([0-9a-fA-F:]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d+))?$/.exec(place);
  const host = parts?.[1] ?? parts?.[2] ?? parts?.[3];
  const user = at < 0 ? undefined : text.slice(0, at);
  const port = parts?.[4] === undefined ? undefined : Number(parts[4]);
  if (host === undefined || host.startsWith('-') || user === '' || (port !== undefined && (port < 1 || port > 65_535)))
    return null;
  return { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
}
