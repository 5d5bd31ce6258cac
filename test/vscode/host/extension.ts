import assert from 'node:assert/strict';
import * as vscode from 'vscode';

/** What the extension's `activate` returns, for tests. */
export interface Activated {
  /** How long `activate` itself took, ms; loading the bundle comes before it. */
  readonly activatedInMs: number;
}

/** Parts of package.json that tests look at. */
export interface Manifest {
  readonly contributes: {
    readonly commands?: readonly { readonly command: string }[];
    readonly views?: Readonly<Record<string, readonly { readonly id: string }[]>>;
  };
}

/** The extension that is tested. */
export function extension(): vscode.Extension<Activated | undefined> {
  const found = vscode.extensions.getExtension<Activated | undefined>('claude-sync-manager.claude-sync-manager');
  assert.ok(found, 'the extension is not there');
  return found;
}

/** Its package.json. */
export function manifest(): Manifest {
  return extension().packageJSON as Manifest;
}
