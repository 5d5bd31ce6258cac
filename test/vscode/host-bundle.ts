import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');

/**
 * Bundles the tests that run in the extension host.
 * @returns their module, as `extensionTestsPath` wants it, in a folder of its own. That lies inside the checkout, so that it finds mocha.
 */
export async function hostBundle(): Promise<{ readonly module: string; readonly folder: string }> {
  const made = join(ROOT, '.tmp', 'vscode-host');
  await mkdir(made, { recursive: true });
  const folder = await mkdtemp(join(made, 'run-'));
  const module = join(folder, 'host.cjs');
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['test/vscode/host/index.ts'],
    outfile: module,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    external: ['vscode', 'mocha'],
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return { module, folder };
}
