import { posix, win32 } from 'node:path';
import { expandHome } from './expand-home.ts';
import type { Config, MachineConfig } from './schema.ts';

/** A rule between several parts of a configuration that does not hold. */
export interface CrossIssue {
  readonly path: readonly string[];
  readonly reason: string;
}

/**
 * Rules that one entry alone cannot break:
 * - Folders are absolute or begin with `~/`: a relative one would depend on where the hub happened to be started.
 * - Two machines must not share a folder, nor lie one in the other: the hub would take its own writes on the one for the
 *   user's changes on the other. Compared as written here; links are resolved by `loadConfig`.
 * - Two names must differ in more than case, since they become file names.
 * - `projects` may name only machines that there are.
 */
export function crossCheck(config: Config, home: string): CrossIssue[] {
  return [
    ...relativeFolders(config, home),
    ...sharedFolders(config, home),
    ...lookalikes(config),
    ...unknownPlaces(config),
  ];
}

/** Local folder of a machine, absolute, `/`-separated, without trailing slash; links not resolved. */
export function localFolder(machine: MachineConfig, home: string): string {
  const path = expandHome(machine.claudeDir, machine.home === undefined ? home : expandHome(machine.home, home));
  return normalised(path);
}

/** Whether one folder is the other or lies in it. */
export function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function* relativeFolders(config: Config, home: string): Generator<CrossIssue> {
  for (const [name, machine] of Object.entries(config.machines)) {
    for (const setting of ['home', 'claudeDir'] as const) {
      const folder = machine[setting];
      if (folder === undefined || isAbsolute(expandHome(folder, home))) continue;
      yield {
        path: ['machines', name, setting],
        reason: `"${folder}" is relative: begin with "/" or "~/" (the home folder there)`,
      };
    }
  }
}

/** Absolute on some system: `/...`, `C:/...`, `\\\\server\\...`. */
function isAbsolute(path: string): boolean {
  return posix.isAbsolute(path) || win32.isAbsolute(path);
}

function* sharedFolders(config: Config, home: string): Generator<CrossIssue> {
  const seen: { name: string; where: string; folder: string }[] = [];
  for (const [name, machine] of Object.entries(config.machines)) {
    const local = machine.transport === 'local';
    const where = local ? 'local' : `${machine.user ?? ''}@${machine.host.toLowerCase()}:${machine.port ?? ''}`;
    const folder = local ? localFolder(machine, home) : normalised(machine.claudeDir);
    const other = seen.find((one) => one.where === where && overlap(one.folder, folder));
    if (other === undefined) seen.push({ name, where, folder });
    else yield { path: ['machines', name], reason: `uses the same folder as "${other.name}" (${folder})` };
  }
}

function* lookalikes(config: Config): Generator<CrossIssue> {
  const seen = new Map<string, string>();
  for (const name of Object.keys(config.machines)) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) yield { path: ['machines', name], reason: `differs from "${other}" only in case` };
    seen.set(name.toLowerCase(), name);
  }
}

function* unknownPlaces(config: Config): Generator<CrossIssue> {
  for (const [project, places] of Object.entries(config.projects)) {
    for (const name of Object.keys(places)) {
      if (!Object.hasOwn(config.machines, name)) {
        yield { path: ['projects', project, name], reason: `there is no machine "${name}"` };
      }
    }
  }
}

function normalised(path: string): string {
  return posix.normalize(path.replaceAll('\\', '/')).replace(/(?<=.)\/+$/, '');
}
