import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
/** Inside the checkout, where nothing but git looks away. */
const MADE = join(ROOT, '.tmp', 'vscode-packed');

/** What a package is made of. */
const PARTS = [
  ...['src', 'webview', 'media', 'scripts'],
  ...[
    'package.json',
    'package.nls.json',
    'package-lock.json',
    '.vscodeignore',
    'esbuild.mjs',
    'README.md',
    'CHANGELOG.md',
  ],
];

const run = promisify(execFile);

/** The package of this platform as users get it. */
export interface Packed {
  /** The .vsix file. */
  readonly vsix: string;
  /** The same unpacked: folder of the extension. */
  readonly folder: string;
}

/** Makes the package of what the sources are now, once per state of them. Writes `dist/`, as every build does. */
export async function packed(): Promise<Packed> {
  const folder = join(MADE, await stateOfParts());
  if (!existsSync(folder)) await make(folder);
  const name = (await readdir(folder)).find((file) => file.endsWith('.vsix'));
  if (name === undefined) throw new Error(`no package in ${folder}`);
  return { vsix: join(folder, name), folder: join(folder, 'extension') };
}

async function make(folder: string): Promise<void> {
  await mkdir(MADE, { recursive: true });
  // Those of older sources; nobody needs them again.
  for (const name of await readdir(MADE)) await rm(join(MADE, name), { recursive: true, force: true });
  const made = await mkdtemp(join(MADE, 'new-'));
  const target = `${process.platform}-${process.arch}`;
  await run(process.execPath, [join(ROOT, 'scripts/package.mjs'), target, '--out', made], { cwd: ROOT });
  const [name] = (await readdir(made)).filter((file) => file.endsWith('.vsix'));
  if (name === undefined) throw new Error(`scripts/package.mjs made no package for ${target}`);
  await run('unzip', ['-q', join(made, name), 'extension/*', '-d', made]);
  await rm(join(made, 'stage'), { recursive: true, force: true });
  await rename(made, folder);
}

/** Names what the parts are now, by their times: newest change and number of files. */
async function stateOfParts(): Promise<string> {
  const times: number[] = [];
  for (const part of PARTS) {
    const path = join(ROOT, part);
    if (!existsSync(path)) continue;
    const { mtimeMs } = await stat(path);
    times.push(mtimeMs);
    const names = part.includes('.') ? [] : await readdir(path, { recursive: true });
    times.push(...(await Promise.all(names.map(async (name) => (await stat(join(path, name))).mtimeMs))));
  }
  return `${Math.round(Math.max(...times))}-${times.length}`;
}
