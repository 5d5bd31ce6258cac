import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { extension, manifest } from './extension.ts';

/** What package.json promises is there. */
export function contributions(): void {
  describe('contributions', () => {
    before(() => extension().activate());

    it('every command of package.json does something', async () => {
      const registered = new Set(await vscode.commands.getCommands(true));
      const contributed = (manifest().contributes.commands ?? []).map(({ command }) => command);
      assert.ok(contributed.length > 0);
      assert.deepEqual(
        contributed.filter((command) => !registered.has(command)),
        [],
      );
    });

    it('every view of package.json can be shown', async () => {
      const views = Object.values(manifest().contributes.views ?? {}).flat();
      for (const { id } of views) await vscode.commands.executeCommand(`${id}.focus`);
    });
  });
}
