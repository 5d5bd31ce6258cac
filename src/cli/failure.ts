import { ConfigError } from '../hub/config/config-error.ts';
import { SocketPathTooLong } from '../hub/config/paths.ts';
import { SocketPlaceRefused } from '../hub/rpc/socket-place.ts';
import { HubError, type ErrorData } from '../protocol/errors.ts';

/** What the process tells its caller. The numbers are a contract. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong usage, or a faulty configuration. */
  usage: 2,
  notRunning: 3,
  timedOut: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command was given in a way that does not make sense. Nothing was done. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** An error as the command line reports it; `usage` is its own code besides those of the protocol. */
export interface Failure {
  readonly exitCode: ExitCode;
  readonly data: Omit<ErrorData, 'code'> & { readonly code: string };
}

/** Exit code and text of any error. */
export function failureOf(error: unknown): Failure {
  if (HubError.is(error)) return { exitCode: exitCodeOf(error), data: error.toData() };
  if (error instanceof UsageError) {
    return failure(EXIT.usage, 'usage', error.message, 'Nothing was done.', 'See claude-sync --help.');
  }
  if (ConfigError.is(error)) {
    return failure(
      EXIT.usage,
      'config',
      error.message,
      'Nothing was started or changed.',
      'Correct the file and try again.',
    );
  }
  if (error instanceof SocketPathTooLong)
    return failure(EXIT.usage, 'config', error.message, 'Nothing was started.', null);
  if (error instanceof SocketPlaceRefused) {
    return failure(EXIT.usage, 'config', error.message, 'Nothing was started.', error.next);
  }
  const { message, next } =
    error instanceof Error ? (error as Error & { next?: unknown }) : { message: String(error), next: null };
  // Known by its name: its module loads the database, which most commands do without.
  if (error instanceof Error && error.name === 'HubAlreadyRunning') {
    return failure(EXIT.failed, 'refused', message, 'The running hub was not disturbed.', String(next));
  }
  return failure(EXIT.failed, 'internal', message, null, typeof next === 'string' ? next : null);
}

function exitCodeOf(error: HubError): ExitCode {
  if (error.code === 'not-running') return EXIT.notRunning;
  if (error.code === 'timed-out') return EXIT.timedOut;
  if (error.code === 'config' || error.code === 'invalid-params') return EXIT.usage;
  return EXIT.failed;
}

function failure(
  exitCode: ExitCode,
  code: string,
  message: string,
  unchanged: string | null,
  next: string | null,
): Failure {
  return { exitCode, data: { code, message, unchanged, next } };
}
