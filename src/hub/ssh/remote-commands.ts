import type { ClientChannel } from 'ssh2';
import type { Clock, Random } from '../ports/clock.ts';
import type { SshConnection } from './connection.ts';
import { MarkerFilter } from './marker-filter.ts';
import { throughSh } from './shell-words.ts';

/** Why a remote command gave no result. Whatever it did on the machine until then is done. */
export type RemoteCommandTrouble =
  /** No shell ran it: the account offers file transfer only, or its login shell knows no /bin/sh. */
  | 'no-shell'
  /** Connection or channel ended before the command did. */
  | 'cut'
  | 'timeout'
  | 'too-long';

const TROUBLES: Readonly<Record<RemoteCommandTrouble, string>> = {
  'no-shell': 'the machine runs no commands for this account; everything that SFTP can do goes on',
  cut: 'the connection ended before the command did; it is tried again after the next connect',
  timeout: 'the command did not end in time and was given up; it is tried again later',
  'too-long': 'the command answered with more than is read of it; its answer was dropped',
};

/** A remote command gave no result. */
export class RemoteCommandFailure extends Error {
  readonly code: RemoteCommandTrouble;

  constructor(code: RemoteCommandTrouble, stderr = '') {
    const said = stderr.trim() === '' ? '' : ` (${stderr.trim().slice(-300)})`;
    super(`${TROUBLES[code]}${said}`);
    this.name = 'RemoteCommandFailure';
    this.code = code;
  }
}

/** What a command is given and allowed. */
export interface RunOptions {
  readonly stdin?: AsyncIterable<Uint8Array | string> | Buffer | string;
  /** Most bytes of stdout. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** What a command left. */
export interface RunResult {
  /** Exit code, `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  /** Its last 16 KB. */
  readonly stderr: string;
}

/** How a running command ended. */
export interface CommandEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** Whether /bin/sh ran it at all. */
  readonly hasBegun: boolean;
}

/** Takes what a running command says, as it comes. */
export interface CommandListeners {
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
}

/** A command that goes on until it is told to end. */
export interface RunningCommand {
  write(text: string): void;
  endInput(): void;
  /** Ends its input and gives up the channel, whether or not the command is gone. */
  abandon(): void;
  /** Resolves when the channel is gone; `code` and `signal` are `null` when the connection went first. */
  readonly ended: Promise<CommandEnd>;
}

/**
 * Commands on a POSIX machine, each in a channel of its own (about 85 ms, so never per event). `command` is a script for /bin/sh,
 * whatever login shell there is; what that shell's start files print before is skipped, on stdout and on stderr.
 */
export interface RemoteCommands {
  /** Rejects with `RemoteCommandFailure`, or as `SshConnection.exec` does. An exit code other than 0 is a result. */
  run(command: string, options: RunOptions): Promise<RunResult>;
  /** Rejects as `SshConnection.exec` does. */
  start(command: string, listeners: CommandListeners): Promise<RunningCommand>;
}

const MOST_STDERR_BYTES = 16 * 1024;

/** Commands over `connection`. `random` makes the line that tells a command's own output from a banner. */
export function createRemoteCommands(
  connection: Pick<SshConnection, 'exec'>,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): RemoteCommands {
  async function open(command: string, listeners: CommandListeners): Promise<Running> {
    const marker = `claude-sync-${random.hex(12)}`;
    // In two halves: a shell that shows the commands it runs would show the marker before it is due.
    const halves = `'${marker.slice(0, 20)}' '${marker.slice(20)}'`;
    const script = `printf '%s%s\\n' ${halves}; printf '%s%s\\n' ${halves} >&2; ${command}`;
    return new Running(await connection.exec(throughSh(script)), marker, listeners);
  }

  return {
    async run(command, { stdin = '', maxBytes, timeoutMs }) {
      const stdout: Buffer[] = [];
      let length = 0;
      let stderr = Buffer.alloc(0);
      let trouble: RemoteCommandTrouble | null = null;
      const giveUp = (why: RemoteCommandTrouble): void => {
        trouble ??= why;
        running?.abandon();
      };
      let running: Running | null = null;
      running = await open(command, {
        stdout(chunk) {
          length += chunk.length;
          if (length > maxBytes) return giveUp('too-long');
          stdout.push(chunk);
        },
        stderr(chunk) {
          stderr = Buffer.concat([stderr, chunk]).subarray(-MOST_STDERR_BYTES);
        },
      });
      const cancel = clock.after(timeoutMs, () => giveUp('timeout'));
      try {
        const [end] = await Promise.all([running.ended, running.feed(stdin)]);
        const said = stderr.toString('utf8');
        if (trouble !== null) throw new RemoteCommandFailure(trouble, said);
        if (end.code === null && end.signal === null) throw new RemoteCommandFailure('cut', said);
        if (!end.hasBegun) throw new RemoteCommandFailure('no-shell', said || running.beforeMarker());
        return { code: end.code, signal: end.signal, stdout: Buffer.concat(stdout), stderr: said };
      } finally {
        cancel();
        running.abandon();
      }
    },
    start: open,
  };
}

class Running implements RunningCommand {
  readonly ended: Promise<CommandEnd>;
  readonly #channel: ClientChannel;
  readonly #errors: MarkerFilter;
  #isOpen = true;
  /** Resolves `ended` where the other side may never confirm. */
  #end: (end: CommandEnd) => void = () => undefined;

  constructor(channel: ClientChannel, marker: string, listeners: CommandListeners) {
    this.#channel = channel;
    const output = new MarkerFilter(marker);
    this.#errors = new MarkerFilter(marker);
    channel.on('data', (chunk: Buffer) => pass(output.push(chunk), (own) => listeners.stdout(own)));
    channel.stderr.on('data', (chunk: Buffer) => pass(this.#errors.push(chunk), (own) => listeners.stderr(own)));
    // What goes wrong with a channel ends it; `ended` tells.
    channel.on('error', () => this.abandon());
    channel.stderr.on('error', () => this.abandon());
    this.ended = new Promise((resolve) => {
      this.#end = (end) => {
        this.#isOpen = false;
        resolve(end);
      };
      channel.on('close', (code?: number | null, signal?: string | null) =>
        this.#end({ code: code ?? null, signal: signal ?? null, hasBegun: output.isFound }),
      );
    });
  }

  /** What the shell said on stderr instead of running the command, the last of it. */
  beforeMarker(): string {
    return this.#errors.before.toString('utf8');
  }

  write(text: string): void {
    if (this.#isOpen) this.#channel.write(text);
  }

  endInput(): void {
    if (this.#isOpen) this.#channel.end();
  }

  abandon(): void {
    if (!this.#isOpen) return;
    this.#channel.signal('KILL');
    this.#channel.destroy();
    this.#end({ code: null, signal: null, hasBegun: true });
  }

  /** Writes all of it as fast as the other side takes it, and the end of it. Stops when the command has ended. */
  async feed(stdin: AsyncIterable<Uint8Array | string> | Buffer | string): Promise<void> {
    for await (const chunk of typeof stdin === 'string' || Buffer.isBuffer(stdin) ? [stdin] : stdin) {
      if (!this.#isOpen) return;
      if (chunk.length > 0 && !this.#channel.write(chunk)) await this.#drained();
    }
    this.endInput();
  }

  async #drained(): Promise<void> {
    let done = (): void => undefined;
    const drained = new Promise<void>((resolve) => (done = resolve));
    this.#channel.once('drain', done);
    await Promise.race([drained, this.ended]);
    this.#channel.off('drain', done);
  }
}

function pass(chunk: Buffer, listener: (chunk: Buffer) => void): void {
  if (chunk.length > 0) listener(chunk);
}
