import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { HubError } from '../../protocol/errors.ts';

/** How `claude-sync` is run: a program, the file of the command line, and its environment. */
export interface Program {
  readonly command: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Writes a program `claude-sync` into a folder, for shells whose PATH leads there.
 * @param folder private to the extension; made when it is needed (0700).
 * @throws {HubError} `refused` for paths that cannot be written into a script.
 */
export async function writeLauncher(folder: string, program: Program, platform: NodeJS.Platform): Promise<void> {
  const isWindows = platform === 'win32';
  const { command, script, env } = program;
  if (/["%\r\n]/.test(`${command}${script}`))
    throw new HubError('refused', `${command} cannot be run from a script: there is a quote or line break in its path`);
  const asNode =
    env['ELECTRON_RUN_AS_NODE'] === undefined
      ? ''
      : isWindows
        ? 'set ELECTRON_RUN_AS_NODE=1\r\n'
        : 'ELECTRON_RUN_AS_NODE=1 ';
  const text = isWindows
    ? `@echo off\r\nsetlocal\r\n${asNode}"${command}" "${script}" %*\r\n`
    : `#!/bin/sh\n${asNode}exec ${quote(command)} ${quote(script)} "$@"\n`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, isWindows ? 'claude-sync.cmd' : 'claude-sync'), text, { mode: 0o700 });
}

/** A PATH that looks into `folder` first. */
export function pathWith(folder: string, path: string | undefined): string {
  return path === undefined || path === '' ? folder : `${folder}${delimiter}${path}`;
}

/** As one word of a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
