import { chromium, ensureVsCodeServer } from '../../scripts/vscode-server.mjs';

/** Everything that a workbench needs. */
export interface Tools {
  /** Folder with code-server and playwright-core. */
  readonly folder: string;
  /** Path of the browser. */
  readonly chromium: string;
}

/**
 * Finds out whether a workbench can be had, installing VS Code's server where it is missing.
 * @returns what it needs, or the reason why not.
 */
export function workbenchTools(): Tools | string {
  if (process.platform !== 'linux') return "VS Code's server is installed for Linux only";
  const browser = chromium();
  if (browser === null) return 'there is no Chromium (Debian package chromium, or name one with CLAUDE_SYNC_CHROMIUM)';
  try {
    return { folder: ensureVsCodeServer(process.execPath), chromium: browser };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The tools, where `before(needsWorkbench)` has let the tests run. @throws the reason why there are none. */
export function toolsHere(): Tools {
  const tools = workbenchTools();
  if (typeof tools === 'string') throw new Error(`no VS Code here: ${tools}`);
  return tools;
}

/** A `before` for suites in a workbench: skips them with the reason where there can be none; with CI=true that is a failure. */
export function needsWorkbench(this: Mocha.Context): void {
  this.timeout(300_000);
  const tools = workbenchTools();
  if (typeof tools !== 'string') return;
  if (process.env['CI'] === 'true') throw new Error(`no VS Code here: ${tools}`);
  console.log(`skipped: ${tools}`);
  this.skip();
}
