/**
 * `npm run package [-- TARGET ...] [--out DIR]`: the extension as .vsix files, with the hub and the command line inside: one for each
 * platform, which carries the database's binary of that platform alone, and a universal one that carries all of them and that VS Code takes
 * where there is no other. Puts together exactly what belongs into a package in a folder of its own and has vsce pack that. A
 * folder of its own, because vsce wants either `files` or `.vscodeignore`, and npm needs `files`; and because the native database
 * module has to travel along, with its ready-made binaries but without its sources.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, Failed, giveUp, pinnedNode, ROOT, run } from './bootstrap.mjs';

/** Without a target of VS Code: everywhere. */
const UNIVERSAL = 'universal';

/** Targets of VS Code, which are named as the database's binaries are. */
const TARGETS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', UNIVERSAL];

const DATABASE = join('node_modules', 'better-sqlite3');
/** What the database module needs to run, besides a binary. */
const DATABASE_PARTS = ['package.json', 'LICENSE', 'lib'];

/** What only npm reads. */
const NPM_ONLY = ['files', 'scripts', 'dependencies', 'devDependencies', 'allowScripts'];

try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
  const unknown = positionals.filter((name) => !TARGETS.includes(name));
  if (unknown.length > 0) throw new Failed(`no such target: ${unknown.join(', ')}; there are: ${TARGETS.join(', ')}`);
  ensureInstalled();
  const node = pinnedNode();
  const out = resolve(values.out ?? join(ROOT, 'out'));
  await mkdir(out, { recursive: true });
  await step('build', node, [join(ROOT, 'esbuild.mjs'), '--quiet']);
  for (const target of positionals.length > 0 ? positionals : TARGETS) await pack(node, target, out);
} catch (error) {
  giveUp(error);
}

async function step(name, command, arguments_, options) {
  if ((await run(command, arguments_, options)) !== 0) throw new Failed(`${name} failed, see above.`);
}

async function pack(node, target, out) {
  const folder = join(out, 'stage', target);
  const manifest = await stage(folder, target);
  const isUniversal = target === UNIVERSAL;
  const file = `${manifest.name}-${manifest.version}${isUniversal ? '' : `-${target}`}.vsix`;
  const options = [
    ...(isUniversal ? [] : ['--target', target]),
    '--no-dependencies',
    '--allow-missing-repository',
    '--skip-license',
    '--no-rewrite-relative-links',
    '--out',
    join(out, file),
  ];
  await step(`vsce package (${target})`, node, [join(ROOT, 'node_modules/@vscode/vsce/vsce'), 'package', ...options], {
    cwd: folder,
  });
  await rm(folder, { recursive: true, force: true });
}

/** @returns the manifest of the package to be made. */
async function stage(folder, target) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of ['package.nls.json', 'dist', 'media', 'README.md', 'LICENSE', 'CHANGELOG.md', '.vscodeignore']) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true, filter: (path) => !path.endsWith('.map') });
  }
  // Below dist/, because vsce leaves out a node_modules/ at the top, and because that is where dist/claude-sync.js looks first.
  for (const name of [...DATABASE_PARTS, ...(await binaries(target))])
    await cp(join(ROOT, DATABASE, name), join(folder, 'dist', DATABASE, name), { recursive: true });
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  for (const name of NPM_ONLY) delete manifest[name];
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** @returns the database's binaries that a target needs, below its module. */
async function binaries(target) {
  const all = await readdir(join(ROOT, DATABASE, 'prebuilds'));
  const wanted = target === UNIVERSAL ? all : all.filter((name) => name === `${target}.node`);
  if (wanted.length === 0) throw new Failed(`better-sqlite3 brings no binary for ${target}, only ${all.join(', ')}.`);
  return wanted.map((name) => join('prebuilds', name));
}
