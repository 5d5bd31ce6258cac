/**
 * Builds everything into dist/: the command line and the hub, the database's writer thread, the extension, its webview, and the
 * JSON Schema of the configuration. An entry point that is not written yet is skipped with a note.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { NODE_BUNDLE, NODE_ENTRIES } from './scripts/node-bundle.mjs';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const DIST = join(ROOT, 'dist');
const quiet = process.argv.includes('--quiet');
const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  sourcemap: true,
  logLevel: 'warning',
  // jsonc-parser's `main` loads its parts in a way that no bundler can follow; its `module` does not.
  mainFields: ['module', 'main'],
  define: { 'process.env.CLAUDE_SYNC_VERSION': JSON.stringify(version) },
};

/** zod brings its messages in 50 languages, 100 KB that every VS Code window would load and that nothing here uses. */
const englishOnly = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

await mkdir(DIST, { recursive: true });
for (const result of await Promise.allSettled([node(), extension(), webview(), schema()])) {
  if (result.status === 'fulfilled') continue;
  process.exitCode = 1;
  // What esbuild itself found it has printed already, with place and excerpt.
  if (!('errors' in Object(result.reason))) console.error(result.reason);
}

async function node() {
  const entryPoints = present(NODE_ENTRIES);
  if (entryPoints.length === 0) return;
  const { metafile } = await build({
    ...common,
    ...NODE_BUNDLE,
    entryPoints,
    outdir: DIST,
    metafile: true,
  });
  await makeExecutable(join(DIST, 'claude-sync.js'));
  await removeOldChunks(Object.keys(metafile.outputs));
  note(metafile.outputs);
}

async function extension() {
  const entryPoints = present({
    extension: 'src/extension/extension.ts',
    // With its SSH it is larger than all the rest, and loaded only where the hub is on another machine.
    'remote-hub': 'src/client/remote/index.ts',
  });
  if (entryPoints.length === 0) return;
  const { metafile } = await build({
    ...common,
    entryPoints,
    outdir: DIST,
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    minify: true,
    // ssh2 does without its native parts.
    external: ['vscode', 'cpu-features', '*.node'],
    plugins: [englishOnly],
    metafile: true,
  });
  note(metafile.outputs);
}

async function webview() {
  const entryPoints = present({ 'webview/main': 'webview/main.ts' });
  if (entryPoints.length === 0) return;
  const options = { outdir: DIST, platform: 'browser', target: 'es2022', format: 'iife', minify: true, metafile: true };
  const { metafile } = await build({ ...common, entryPoints, ...options });
  note(metafile.outputs);
}

/** The schema is made by the code that validates: bundled to a module in memory, imported, and asked. */
async function schema() {
  const { outputFiles } = await build({
    ...common,
    entryPoints: ['src/hub/config/json-schema.ts'],
    platform: 'node',
    format: 'esm',
    sourcemap: false,
    write: false,
  });
  const source = Buffer.from(outputFiles[0].contents).toString('base64');
  const { configJsonSchema } = await import(`data:text/javascript;base64,${source}`);
  await writeFile(join(DIST, 'config.schema.json'), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
}

function present(entries) {
  return Object.entries(entries).flatMap(([out, file]) => {
    if (existsSync(join(ROOT, file))) return [{ in: file, out }];
    console.log(`skipped ${file}: not there yet`);
    return [];
  });
}

/** npm makes it executable when installing; a clone runs it directly. */
async function makeExecutable(file) {
  if (!existsSync(file)) return;
  const text = await readFile(file, 'utf8');
  if (!text.startsWith('#!')) {
    await writeFile(`${file}.new`, `#!/usr/bin/env node\n${text}`);
    await rename(`${file}.new`, file);
  }
  await chmod(file, 0o755);
}

async function removeOldChunks(outputs) {
  const current = new Set(outputs.map((name) => name.split('/').at(-1)));
  for (const name of await readdir(DIST)) {
    if (name.startsWith('chunk-') && !current.has(name)) await rm(join(DIST, name), { force: true });
  }
}

function note(outputs) {
  if (quiet) return;
  for (const [name, { bytes }] of Object.entries(outputs)) {
    if (!name.endsWith('.map') && !name.includes('/chunk-')) console.log(`${name}  ${(bytes / 1024).toFixed(0)} KB`);
  }
}
