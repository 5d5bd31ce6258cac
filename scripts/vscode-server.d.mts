/** Folder that holds VS Code's server and playwright-core in `node_modules`; installed when missing. Throws `Failed`. */
export function ensureVsCodeServer(node: string): string;
/** The same when it is installed as locked, else `null`; installs nothing. */
export function installedVsCodeServer(): string | null;
/** Command of the Chromium that shows the page, `null` where there is none. */
export function chromium(): string | null;
