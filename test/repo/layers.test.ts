import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the project's own rules say about one line of code, were it in that file. */
async function complaints(file: string, code: string): Promise<string[]> {
  // Layer rules need no types; without them a file need not exist to be judged.
  const untyped = { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false } } };
  const rules = [
    'no-restricted-imports',
    'no-restricted-globals',
    'no-restricted-properties',
    'no-restricted-syntax',
    'no-empty',
  ];
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfig: [untyped],
    ruleFilter: ({ ruleId }) => rules.includes(ruleId),
  });
  const [result] = await eslint.lintText(code, { filePath: `${ROOT}${file}` });
  assert.ok(result, `${file} is not linted`);
  const broken = result.messages.filter(({ fatal }) => fatal);
  assert.deepEqual(broken, []);
  return result.messages.map(({ ruleId }) => ruleId ?? '');
}

const REFUSED: readonly [what: string, file: string, code: string][] = [
  ['core does no I/O', 'src/core/x.ts', "import { readFile } from 'node:fs/promises';"],
  ['core does no I/O, whatever the spelling', 'src/core/x.ts', "import fs from 'fs';"],
  ['core knows no processes', 'src/core/x.ts', "import { spawn } from 'node:child_process';"],
  ['core does not look into the hub', 'src/core/log/x.ts', "import { x } from '../../hub/store/store.ts';"],
  [
    'core does not look into the hub for types either',
    'src/core/x.ts',
    "import type { Store } from '../hub/store/store.ts';",
  ],
  ['core does not know the protocol', 'src/core/x.ts', "import { x } from '../protocol/status.ts';"],
  ['core has no clock', 'src/core/x.ts', 'export const x = Date.now();'],
  ['core has no clock by construction', 'src/core/x.ts', 'export const x = new Date();'],
  ['core has no randomness', 'src/core/x.ts', 'export const x = Math.random();'],
  ['core has no environment', 'src/core/x.ts', 'export const x = process.env;'],
  ['the hub does not know the command line', 'src/hub/x.ts', "import { x } from '../cli/program.ts';"],
  ['the hub does not know VS Code', 'src/hub/rpc/x.ts', "import * as vscode from 'vscode';"],
  ['the hub does not know its clients', 'src/hub/x.ts', "import { x } from '../client/connect.ts';"],
  ['a client does not load the database', 'src/client/x.ts', "import { x } from '../hub/store/store.ts';"],
  ['the command line does not know VS Code', 'src/cli/x.ts', "import * as vscode from 'vscode';"],
  ['the protocol does not look into the hub', 'src/protocol/x.ts', "import { x } from '../hub/lock.ts';"],
  ['the extension does not load the database', 'src/extension/x.ts', "import { x } from '../hub/store/store.ts';"],
  [
    'the webview does not look into the extension',
    'webview/x.ts',
    "import { x } from '../src/extension/extension.ts';",
  ],
  ['the webview does not know VS Code', 'webview/x.ts', "import * as vscode from 'vscode';"],
  ['an error is not swallowed', 'src/hub/x.ts', 'try { JSON.parse("x"); } catch {}'],
  ['an error is not swallowed behind a comment', 'src/hub/x.ts', 'try { JSON.parse("x"); } catch { /* fine */ }'],
];

const ALLOWED: readonly [what: string, file: string, code: string][] = [
  ['core may hash', 'src/core/x.ts', "import { createHash } from 'node:crypto';"],
  ['core may make dates of given times', 'src/core/x.ts', 'export const x = (at: number) => new Date(at);'],
  ['the hub may use the core', 'src/hub/store/x.ts', "import type { Key } from '../../core/domain.ts';"],
  [
    'the extension may use the client of the hub',
    'src/extension/x.ts',
    "import { connectToHub } from '../client/connect.ts';",
  ],
  ['the extension may use VS Code', 'src/extension/x.ts', "import * as vscode from 'vscode';"],
  [
    'the webview may use the protocol',
    'webview/x.ts',
    "import type { StatusResult } from '../src/protocol/status.ts';",
  ],
];

describe('the layers are kept by lint', function () {
  this.timeout(60_000);

  for (const [what, file, code] of REFUSED) {
    it(what, async () => assert.notDeepEqual(await complaints(file, code), []));
  }
  for (const [what, file, code] of ALLOWED) {
    it(what, async () => assert.deepEqual(await complaints(file, code), []));
  }
});
