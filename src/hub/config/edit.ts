import { open as openFile, realpath, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { applyEdits, modify } from 'jsonc-parser';
import { makeFolders } from '../make-folders.ts';
import { ConfigError } from './config-error.ts';
import { readConfigText } from './load.ts';
import { parseConfig } from './parse.ts';
import type { Config, MachineConfigInput } from './schema.ts';

/** A file to be edited. */
export interface EditTarget {
  readonly file: string;
  /** Home folder of the hub's user. */
  readonly home: string;
  /** What to start from when there is no file (see `defaultConfigText`). */
  readonly ifMissing: string;
}

/** One change: the value at `path` becomes `value`; `undefined` removes it. */
interface Change {
  readonly path: readonly string[];
  readonly value: unknown;
  /** Where a new key goes among its siblings; default: last. */
  readonly getInsertionIndex?: () => number;
}

/** Writes `paused` of a machine. @throws {UnknownMachine} {ConfigBusy} {ConfigError} */
export function setPaused(target: EditTarget, name: string, paused: boolean): Promise<Config> {
  return edit(target, (config) => {
    if (!Object.hasOwn(config.machines, name)) throw new UnknownMachine(name, Object.keys(config.machines));
    // First, so that a comment behind the last property stays with that property.
    return [{ path: ['machines', name, 'paused'], value: paused ? true : undefined, getInsertionIndex: () => 0 }];
  });
}

/** Adds a machine. @throws {MachineExists} {ConfigBusy} {ConfigError} (the entry as it would be is not valid) */
export function addMachine(target: EditTarget, name: string, entry: MachineConfigInput): Promise<Config> {
  return edit(target, (config) => {
    if (Object.hasOwn(config.machines, name)) throw new MachineExists(name);
    return [{ path: ['machines', name], value: entry }];
  });
}

/**
 * Takes a machine out, with its places in `projects`. What was synced stays on that machine and at the hub.
 * @throws {UnknownMachine} {ConfigBusy} {ConfigError} (it was the last one)
 */
export function removeMachine(target: EditTarget, name: string): Promise<Config> {
  return edit(target, (config) => {
    if (!Object.hasOwn(config.machines, name)) throw new UnknownMachine(name, Object.keys(config.machines));
    const places = Object.entries(config.projects).filter(([, where]) => Object.hasOwn(where, name));
    const gone = places.map(([project]) => ({ path: ['projects', project, name], value: undefined }));
    return [...gone, { path: ['machines', name], value: undefined }];
  });
}

/**
 * Changes the file as a person would: comments stay, only the entry that is changed is laid out anew, and a result that is not
 * valid is not written.
 * The new text replaces the file in one step, 0600; where the file is a link (dotfiles), what it points to is replaced.
 * @returns the configuration as it is now.
 */
async function edit(target: EditTarget, changesFor: (config: Config) => readonly Change[]): Promise<Config> {
  await makeFolders(dirname(target.file));
  const file = await linkTarget(target.file);
  // The lock is the new file itself: two edits at once cannot both read the old text and lose the other's change.
  const lock = `${file}.lock`;
  const handle = await openLock(lock);
  let open = true;
  let renamed = false;
  try {
    const before = await textOf(target);
    let text = before;
    for (const { path, value, ...place } of changesFor(parseConfig(before, target.file, target.home))) {
      text = applyEdits(text, modify(text, [...path], value, { formattingOptions: formattingOf(before), ...place }));
    }
    const config = parseConfig(text, target.file, target.home);
    await handle.writeFile(text);
    await handle.sync();
    // Closed first: Windows does not rename an open file.
    await handle.close();
    open = false;
    await rename(lock, file);
    renamed = true;
    return config;
  } finally {
    if (open) await handle.close();
    if (!renamed) await unlink(lock);
  }
}

async function openLock(lock: string): ReturnType<typeof openFile> {
  try {
    return await openFile(lock, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new ConfigBusy(lock);
    throw error;
  }
}

async function textOf(target: EditTarget): Promise<string> {
  try {
    return await readConfigText(target.file);
  } catch (error) {
    if (ConfigError.is(error, 'missing')) return target.ifMissing;
    throw error;
  }
}

async function linkTarget(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return file;
    throw error;
  }
}

function formattingOf(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  return { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol: text.includes('\r\n') ? '\r\n' : '\n' };
}

/** The configuration names no such machine. Nothing was changed. */
export class UnknownMachine extends Error {
  constructor(name: string, known: readonly string[]) {
    super(`there is no machine "${name}" in the configuration; there are: ${known.join(', ')}. Nothing was changed.`);
    this.name = 'UnknownMachine';
  }
}

/** The name is taken. Nothing was changed. */
export class MachineExists extends Error {
  constructor(name: string) {
    super(`there is a machine "${name}" already. Nothing was changed. Choose another name, or remove that one first.`);
    this.name = 'MachineExists';
  }
}

/** Somebody else is editing the file. Nothing was changed. */
export class ConfigBusy extends Error {
  constructor(lock: string) {
    super(
      `the configuration is being edited by another command (${lock} is there). Nothing was changed. ` +
        'Try again; if no other command runs, one was stopped half-way: delete that file.',
    );
    this.name = 'ConfigBusy';
  }
}
