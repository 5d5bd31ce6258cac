import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMANDS, SECTION, SETTINGS, VIEWS, WALKTHROUGH } from '../../src/extension/contributions.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(text('package.json')) as Record<string, any>;

describe('the package', () => {
  it('has every documented script', () => {
    const scripts = ['build', 'start', 'test', 'lint', 'bench', 'simulate', 'package', 'typecheck', 'format'];
    for (const script of scripts) assert.equal(typeof manifest['scripts'][script], 'string', script);
  });

  it('scripts that run files name files that are there', () => {
    for (const [name, command] of Object.entries<string>(manifest['scripts'])) {
      const file = /^node (\S+)/.exec(command)?.[1];
      if (file !== undefined) assert.ok(existsSync(join(ROOT, file)), `${name}: ${file}`);
    }
  });

  it('what runs before anything is installed needs nothing but Node', () => {
    for (const file of ['scripts/bootstrap.mjs', 'scripts/start.mjs', 'scripts/test.mjs']) {
      const imports = [...text(file).matchAll(/^import .* from '(.*)';$/gm)].map((match) => match[1] ?? '');
      assert.notDeepEqual(imports, [], file);
      for (const name of imports) assert.match(name, /^(node:|\.\/)/, `${file} imports ${name}`);
    }
  });

  it('continuous integration runs the tests', () => {
    assert.match(text('.ci/run'), /npm test/);
    assert.ok((statSync(join(ROOT, '.ci/run')).mode & 0o111) !== 0, '.ci/run is executable');
  });

  it('contributes exactly what the extension names', () => {
    const { commands, configuration } = manifest['contributes'];
    assert.deepEqual(
      commands.map(({ command }: { command: string }) => command).sort(),
      Object.values<string>(COMMANDS).sort(),
    );
    assert.deepEqual(
      Object.keys(configuration.properties).sort(),
      Object.values<string>(SETTINGS)
        .map((name) => `${SECTION}.${name}`)
        .sort(),
    );
  });

  it('contributes exactly the views that the extension names, and commands in menus that there are', () => {
    const { views, viewsWelcome, menus } = manifest['contributes'];
    const named = Object.values<string>(VIEWS).sort();
    assert.deepEqual(views.claudeSync.map(({ id }: { id: string }) => id).sort(), named);
    for (const { view } of viewsWelcome as { view: string }[]) assert.ok(named.includes(view), view);
    const known = new Set<string>(Object.values(COMMANDS));
    for (const entries of Object.values<{ command: string }[]>(menus))
      for (const { command } of entries) assert.ok(known.has(command), command);
  });

  it('has a text for each of its names, links no command that there is not, and has no text too many', () => {
    const texts = JSON.parse(text('package.nls.json')) as Record<string, string>;
    const used = new Set([...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map((match) => match[1] ?? ''));
    assert.deepEqual(Object.keys(texts).sort(), [...used].sort());
    const known = new Set<string>(Object.values(COMMANDS));
    // VS Code makes one for each view.
    const focuses = new Set(Object.values(VIEWS).map((view) => `${view}.focus`));
    for (const value of Object.values(texts))
      for (const [, command = ''] of value.matchAll(/\(command:([^)]+)\)/g))
        assert.ok(known.has(command) || focuses.has(command), command);
  });

  it('has the pictures of its walkthrough, which opens by the name that the extension knows', () => {
    const { walkthroughs } = manifest['contributes'];
    assert.deepEqual(
      walkthroughs.map(({ id }: { id: string }) => id),
      [WALKTHROUGH],
    );
    for (const { media } of walkthroughs[0].steps as { media: { svg: string } }[])
      assert.ok(existsSync(join(ROOT, media.svg)), media.svg);
  });

  it('settings that name files cannot be set by a workspace', () => {
    const properties = manifest['contributes'].configuration.properties as Record<string, { scope?: string }>;
    for (const setting of manifest['capabilities'].untrustedWorkspaces.restrictedConfigurations as string[]) {
      assert.equal(properties[setting]?.scope, 'machine', setting);
    }
  });

  it('only one module of the webview names the component library', () => {
    assert.match(text('webview/ui.ts'), /@vscode\/webview-ui-toolkit/);
    assert.doesNotMatch(text('webview/main.ts'), /webview-ui-toolkit/);
  });
});

describe('the text of the project', () => {
  it('names no folder of the machine it was written on', () => {
    for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/sync.md', 'docs/status.md']) {
      assert.doesNotMatch(text(file), /\/work\/|\/root\/|\/tmp\/bash/, file);
    }
  });

  it('the sections of docs/sync.md keep the numbers that the code cites', () => {
    const sections = [...text('docs/sync.md').matchAll(/^## (\d+)\. /gm)].map((match) => Number(match[1]));
    assert.deepEqual(sections, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
});
