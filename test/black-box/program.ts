import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { NODE_BUNDLE, NODE_ENTRIES } from '../../scripts/node-bundle.mjs';

const ROOT = join(import.meta.dirname, '../..');
/** Inside the checkout, so that the bundle finds the packages that stay outside of it. */
const BUILDS = join(ROOT, '.tmp', 'black-box');

/**
 * Bundles the command line and the hub as they are in `src/` now, once per state of the sources.
 * @returns the program's entry. A bundle starts in a third of the time that the sources take, and is what users run.
 */
export async function program(): Promise<string> {
  const folder = join(BUILDS, await stateOfSources());
  if (!existsSync(folder)) await makeBundle(folder);
  return join(folder, 'claude-sync.js');
}

async function makeBundle(folder: string): Promise<void> {
  await mkdir(BUILDS, { recursive: true });
  const made = await mkdtemp(join(BUILDS, 'new-'));
  await build({
    ...NODE_BUNDLE,
    absWorkingDir: ROOT,
    sourcemap: 'inline',
    entryPoints: NODE_ENTRIES,
    outdir: made,
  });
  // A hub that runs as another user reads it, too.
  await chmod(made, 0o755);
  try {
    await rename(made, folder);
  } catch (error) {
    // Another run made the same bundle meanwhile.
    if (!existsSync(folder)) throw error;
    await rm(made, { recursive: true, force: true });
  }
}

/** Names what the sources are now, by their times: newest change and number of files. */
async function stateOfSources(): Promise<string> {
  const source = join(ROOT, 'src');
  const names = await readdir(source, { recursive: true });
  const times = await Promise.all(names.map(async (name) => (await stat(join(source, name))).mtimeMs));
  return `${Math.round(Math.max(...times))}-${names.length}`;
}
