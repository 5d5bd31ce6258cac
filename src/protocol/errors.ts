import { z } from 'zod';

/**
 * Every kind of failure that crosses the protocol, with its JSON-RPC number. The standard ones keep their standard numbers;
 * ours lie in -32000 to -32099 as JSON-RPC wants it.
 */
export const ERROR_NUMBERS = {
  'parse-error': -32700,
  'invalid-request': -32600,
  'unknown-method': -32601,
  'invalid-params': -32602,
  internal: -32603,
  /** `hub/hello` has to come first. */
  'handshake-required': -32001,
  /** Client and hub are of different protocol versions. */
  'protocol-mismatch': -32002,
  /** No such machine, conflict, key, version or session. */
  'not-found': -32003,
  /** It exists, but its state does not allow this. */
  refused: -32004,
  /** The machine cannot be reached now. */
  unreachable: -32005,
  'timed-out': -32006,
  cancelled: -32007,
  'shutting-down': -32008,
  /** The configuration is faulty. */
  config: -32009,
  /** A disk or the database failed. */
  io: -32010,
  /** No hub answers; made by the client, never sent. */
  'not-running': -32011,
  /** The connection ended before the answer; made by the client, never sent. */
  disconnected: -32012,
  /** The answer is larger than a message may be. */
  'too-large': -32013,
} as const;

/** Kind of a failure; stable, for programs. */
export type HubErrorCode = keyof typeof ERROR_NUMBERS;

/** What travels in the `data` of a JSON-RPC error, and in `error` of the command line's JSON. */
export const ErrorDataSchema = z.object({
  code: z.enum(Object.keys(ERROR_NUMBERS) as [HubErrorCode, ...HubErrorCode[]]),
  message: z.string(),
  unchanged: z.string().nullable(),
  next: z.string().nullable(),
});
export type ErrorData = z.infer<typeof ErrorDataSchema>;

/** A failure that a user can meet: what was tried, what is unchanged, what to do. */
export class HubError extends Error {
  readonly code: HubErrorCode;
  /** What the failure left as it was; `null` where there is nothing to say. */
  readonly unchanged: string | null;
  /** The next step for the user; `null` where there is none. */
  readonly next: string | null;

  /** @param message what was tried and why it failed, one sentence. */
  constructor(
    code: HubErrorCode,
    message: string,
    more: { readonly unchanged?: string | null; readonly next?: string | null; readonly cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'HubError';
    this.code = code;
    this.unchanged = more.unchanged ?? null;
    this.next = more.next ?? null;
  }

  /** Whether `error` is one of ours, of one of `codes` when any are given. */
  static is(error: unknown, ...codes: HubErrorCode[]): error is HubError {
    return error instanceof HubError && (codes.length === 0 || codes.includes(error.code));
  }

  /** As it travels. */
  toData(): ErrorData {
    return { code: this.code, message: this.message, unchanged: this.unchanged, next: this.next };
  }

  /**
   * The failure that a JSON-RPC error stands for. Without our `data` (another server, a library's own error) the number
   * decides, and unknown numbers are `internal`.
   */
  static fromRpc(error: { readonly code: number; readonly message: string; readonly data?: unknown }): HubError {
    const parsed = ErrorDataSchema.safeParse(error.data);
    if (parsed.success) return new HubError(parsed.data.code, parsed.data.message, parsed.data);
    const known = Object.entries(ERROR_NUMBERS).find(([, number]) => number === error.code);
    return new HubError((known?.[0] as HubErrorCode | undefined) ?? 'internal', error.message);
  }
}
