import type { MachineName } from '../domain.ts';
import { canonicalPath, fromHome, relativeTo } from './home.ts';
import type { Homes, Project } from './project.ts';

/** `projects` of the configuration: where a project lies on each machine, by its name. Paths are absolute or begin with `~/`. */
export type ExplicitMap = Readonly<Record<string, Readonly<Record<MachineName, string>>>>;

/** A place that the user's map speaks of: the project's name, and the path within it (`''` for the project's own folder). */
export interface ExplicitPlace {
  readonly name: string;
  readonly within: string;
}

/**
 * What the map says about a path of a machine; `null` when nothing. Folders inside a mapped one belong to it (each has a project
 * folder of its own at Claude Code); of nested ones the innermost counts.
 */
export function explicitPlaceOf(
  machine: MachineName,
  path: string,
  map: ExplicitMap,
  homes: Homes,
): ExplicitPlace | null {
  const home = homes[machine];
  if (home === undefined) return null;
  let best: ExplicitPlace | null = null;
  for (const name of Object.keys(map)) {
    const mapped = explicitPathOn({ name, within: '' }, machine, map, homes);
    const within = mapped === null ? null : relativeTo(path, mapped, home.os);
    if (within !== null && (best === null || within.length < best.within.length)) best = { name, within };
  }
  return best;
}

/** Everything the map says about the places of a project, without doubles. */
export function explicitPlacesOf(project: Project, map: ExplicitMap, homes: Homes): ExplicitPlace[] {
  const found = new Map<string, ExplicitPlace>();
  for (const [machine, paths] of Object.entries(project.places)) {
    for (const path of paths) {
      const place = explicitPlaceOf(machine, path, map, homes);
      if (place !== null) found.set(`${place.name}\n${place.within}`, place);
    }
  }
  return [...found.values()];
}

/** Where the map puts a place on a machine; `null` when it does not name that machine, or its home folder is not known yet. */
export function explicitPathOn(
  place: ExplicitPlace,
  machine: MachineName,
  map: ExplicitMap,
  homes: Homes,
): string | null {
  const home = homes[machine];
  const paths = Object.hasOwn(map, place.name) ? map[place.name] : undefined;
  const mapped = paths !== undefined && Object.hasOwn(paths, machine) ? paths[machine] : undefined;
  if (home === undefined || mapped === undefined) return null;
  const tilde = /^~(?:[\\/]+(.*))?$/s.exec(mapped);
  const top = tilde === null ? mapped : fromHome((tilde[1] ?? '').replace(/[\\/]+$/, ''), home.home, home.os);
  if (place.within === '') return canonicalPath(top, home.os) === null ? null : top.replace(/(?<=[^\\/:])[\\/]+$/, '');
  return fromHome(place.within, top, home.os);
}
