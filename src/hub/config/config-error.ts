/** One mistake in a configuration file, where it is and what to do about it. */
export interface ConfigIssue {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units as editors count. */
  readonly column: number;
  /** Place in the configuration, e.g. `machines.rog.port`; the empty string for the file as a whole. */
  readonly at: string;
  /** One sentence for the user. */
  readonly reason: string;
}

/** `missing` and `unreadable` concern the file, `syntax` its JSON, `invalid` what it says. */
export type ConfigErrorCode = 'missing' | 'unreadable' | 'syntax' | 'invalid';

/**
 * A configuration that cannot be used. Nothing was changed, and a running hub goes on with its last good configuration.
 * `line`, `column` and `reason` are those of the first issue; the message lists all of them as `file:line:column: reason`.
 */
export class ConfigError extends Error {
  readonly code: ConfigErrorCode;
  readonly file: string;
  readonly issues: readonly ConfigIssue[];
  readonly line: number;
  readonly column: number;
  readonly reason: string;

  constructor(code: ConfigErrorCode, file: string, issues: readonly [ConfigIssue, ...ConfigIssue[]], cause?: unknown) {
    super(issues.map((issue) => describe(code, file, issue)).join('\n'), { cause });
    this.name = 'ConfigError';
    this.code = code;
    this.file = file;
    this.issues = issues;
    this.line = issues[0].line;
    this.column = issues[0].column;
    this.reason = issues[0].reason;
  }

  /** Whether `error` is a configuration error, of kind `code` when one is given. */
  static is(error: unknown, code?: ConfigErrorCode): error is ConfigError {
    return error instanceof ConfigError && (code === undefined || error.code === code);
  }
}

function describe(code: ConfigErrorCode, file: string, issue: ConfigIssue): string {
  if (code === 'missing' || code === 'unreadable') return `${file}: ${issue.reason}`;
  const where = issue.at === '' ? '' : `${issue.at}: `;
  return `${file}:${issue.line}:${issue.column}: ${where}${issue.reason}`;
}
