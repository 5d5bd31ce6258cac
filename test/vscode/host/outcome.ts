/** What one test in the extension host came to. */
export interface HostTest {
  /** Names of the suites around it, outermost first. */
  readonly suites: readonly string[];
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** Message and stack of the failure. */
  readonly error: string | null;
}

/** What the tests in the extension host came to, written as JSON when the last one is done. */
export interface HostOutcome {
  readonly tests: readonly HostTest[];
  /** What tests measured, by name, in ms. */
  readonly measured: Readonly<Record<string, number>>;
  /** Version of VS Code. */
  readonly vscode: string;
  /** Failure before or beside the tests. */
  readonly error: string | null;
}

/** Variable that names the file for the outcome. */
export const OUTCOME_FILE = 'CLAUDE_SYNC_HOST_OUTCOME';
