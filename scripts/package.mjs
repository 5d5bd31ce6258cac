/**
 * `npm run package`: one .vsix for all platforms, with the hub inside. Builds, puts together exactly what belongs into the package in
 * a folder of its own, and has vsce pack that. A folder of its own, because vsce wants either `files` or `.vscodeignore`, and npm needs
 * `files`; and because the native database module has to travel along, with its ready-made binaries but without its sources.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureInstalled, Failed, giveUp, pinnedNode, ROOT, run } from './bootstrap.mjs';

const STAGE = join(ROOT, 'out', 'vsix');

/** What the database module needs to run. */
const DATABASE = ['package.json', 'LICENSE', 'lib', 'prebuilds'];

try {
  ensureInstalled();
  const node = pinnedNode();
  await step('build', node, [join(ROOT, 'esbuild.mjs'), '--quiet']);
  const file = await stage();
  const options = [
    '--no-dependencies',
    '--allow-missing-repository',
    '--skip-license',
    '--no-rewrite-relative-links',
    '--out',
    join(ROOT, file),
  ];
  await step('vsce package', node, [join(ROOT, 'node_modules/@vscode/vsce/vsce'), 'package', ...options], {
    cwd: STAGE,
  });
} catch (error) {
  giveUp(error);
}

async function step(name, command, arguments_, options) {
  if ((await run(command, arguments_, options)) !== 0) throw new Failed(`${name} failed, see above.`);
}

/** @returns the name of the package to be made. */
async function stage() {
  await rm(STAGE, { recursive: true, force: true });
  await mkdir(STAGE, { recursive: true });
  for (const name of ['dist', 'media', 'README.md', 'LICENSE', 'CHANGELOG.md', '.vscodeignore']) {
    await cp(join(ROOT, name), join(STAGE, name), { recursive: true, filter: (path) => !path.endsWith('.map') });
  }
  // Below dist/, because vsce leaves out a node_modules/ at the top, and because that is where dist/claude-sync.js looks first.
  const database = join('node_modules', 'better-sqlite3');
  for (const name of DATABASE)
    await cp(join(ROOT, database, name), join(STAGE, 'dist', database, name), { recursive: true });
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  for (const name of ['files', 'scripts', 'dependencies', 'devDependencies', 'allowScripts']) delete manifest[name];
  await writeFile(join(STAGE, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return `${manifest.name}-${manifest.version}.vsix`;
}
