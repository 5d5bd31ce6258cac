import type { ClientChannel, SFTPWrapper } from 'ssh2';

/**
 * One long-lived SSH connection to a machine. SFTP, watchers and commands are channels of it.
 *
 * When the connection is gone (closed, cut, silent for longer than the keepalive allows) every channel ends, every request
 * that is under way fails, and `onLost` is told once.
 */
export interface SshConnection {
  /**
   * Opens an SFTP channel. Rejects with `SshFailure`: `no-sftp` where the server offers none (or none answers within 15 s), `lost`.
   * From the end of the channel on its requests fail at once.
   */
  openSftp(): Promise<SFTPWrapper>;
  /**
   * Runs a command line of the remote shell in a channel of its own. Rejects with `SshFailure`: `no-exec` where the server runs no
   * commands, `lost`. A server that is for SFTP only (`ForceCommand internal-sftp`) accepts the command, runs something else and
   * ends with status 1: only what the command prints shows that it ran.
   */
  exec(command: string): Promise<ClientChannel>;
  /** Bytes on the wire since the connection was made, as far as the socket counts them. */
  readonly bytes: { readonly sent: number; readonly received: number };
  /** Told once, also when it was lost before; not after `close`. */
  onLost(listener: (reason: Error) => void): void;
  close(): void;
}
