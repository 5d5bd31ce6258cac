import type { MachineName } from '../domain.ts';
import { explicitPathOn, explicitPlaceOf, explicitPlacesOf } from './explicit-map.ts';
import type { ExplicitMap, ExplicitPlace } from './explicit-map.ts';
import { canonicalPath, caseForm, fromHome, homeRelative } from './home.ts';
import { encodeProjectId, freeProjectId } from './project-id.ts';
import type { Home, Homes, Project, Seen } from './project.ts';

export type { ExplicitMap } from './explicit-map.ts';
export type { Home, Homes, Project, Seen } from './project.ts';

/**
 * Which project a folder on a machine belongs to (sync.md section 5). In this order: the user's map; the same git remote and path
 * in the repository; the same folder seen before; the same path relative to home (or, outside of home, the same path), unless
 * both sides have remotes and these differ, or the map says that the project lies elsewhere on that machine; else a new project.
 *
 * Pure: the caller stores `project` when `changed`. Asking again with it stored changes nothing.
 *
 * @param projects all that are known; their order does not matter
 */
export function identifyProject(
  projects: Iterable<Project>,
  seen: Seen,
  explicit: ExplicitMap,
  homes: Homes,
): { project: Project; changed: boolean } {
  const allHomes: Homes = { ...homes, [seen.machine]: { home: seen.home, os: seen.os } };
  const known = [...projects].sort((one, other) => (one.id < other.id ? -1 : 1));
  const mapped = explicitPlaceOf(seen.machine, seen.path, explicit, allHomes);
  const found = find(known, seen, mapped, explicit, allHomes);
  if (found === undefined) {
    const wanted = encodeProjectId(mapped === null ? portablePath(seen.path, seen) : explicitName(mapped));
    const id = freeProjectId(
      wanted,
      known.map((project) => project.id),
    );
    return { project: withSeen({ id, remotes: [], places: {} }, seen), changed: true };
  }
  const project = withSeen(found, seen);
  return { project, changed: project !== found };
}

/**
 * Where a project lies on a machine, or where it would lie: the user's map; a place known there; the path relative to home that
 * it has elsewhere; else the literal path from elsewhere, also of another system (only the name of a project folder is made of
 * it). `null` when nothing can be said yet: no place is known at all, or the machine's home folder is not.
 *
 * @param like the place whose sessions are to be placed: of several checkouts the one that corresponds to it is taken
 * @returns `present`: the project was seen there
 */
export function placeOn(
  project: Project,
  machine: MachineName,
  explicit: ExplicitMap,
  homes: Homes,
  like?: { readonly machine: MachineName; readonly path: string },
): { path: string; present: boolean } | null {
  const target = homeOf(homes, machine);
  const known = placesOn(project, machine);
  for (const place of explicitPlacesOf(project, explicit, homes)) {
    const path = explicitPathOn(place, machine, explicit, homes);
    if (path === null || target === undefined) continue;
    const same = known.find((other) => samePath(other, path, target));
    return { path: same ?? path, present: same !== undefined };
  }

  const likeHome = like === undefined ? undefined : homeOf(homes, like.machine);
  if (known[0] !== undefined) {
    const alike = like !== undefined && likeHome !== undefined && target !== undefined;
    const best = alike
      ? known.find((path) => samePlace({ path, ...target }, { path: like.path, ...likeHome }))
      : undefined;
    return { path: best ?? known[0], present: true };
  }

  if (target === undefined) return null;
  const elsewhere = [
    ...(like === undefined || likeHome === undefined ? [] : [{ path: like.path, ...likeHome }]),
    ...placesElsewhere(project, machine, homes),
  ];
  for (const { path, home, os } of elsewhere) {
    const relative = homeRelative(path, home, os);
    if (relative !== null) return { path: fromHome(relative, target.home, target.os), present: false };
  }
  const [literal] = elsewhere;
  return literal === undefined ? null : { path: literal.path, present: false };
}

function find(
  known: readonly Project[],
  seen: Seen,
  mapped: ExplicitPlace | null,
  explicit: ExplicitMap,
  homes: Homes,
): Project | undefined {
  const places = new Map(known.map((project) => [project, explicitPlacesOf(project, explicit, homes)]));
  const mappedTo = (project: Project): readonly ExplicitPlace[] => places.get(project) ?? [];

  if (mapped !== null) {
    const same = known.filter((project) => mappedTo(project).some((place) => sameExplicit(place, mapped)));
    const named = same.find((project) => project.id === encodeProjectId(explicitName(mapped)));
    if (same[0] !== undefined) return named ?? same[0];
  }
  // What the map calls something else is something else, whatever remotes and paths say.
  const open = mapped === null ? known : known.filter((project) => mappedTo(project).length === 0);

  const { remote } = seen;
  const sameRemote = remote === null ? undefined : open.find((project) => project.remotes.includes(remote));
  if (sameRemote !== undefined) return sameRemote;

  const here = open.filter((project) =>
    placesOn(project, seen.machine).some((path) => samePath(path, seen.path, seen)),
  );
  // A checkout whose remote was changed is still the same one, as long as no other machine has it under the old remote.
  const sameFolder = here.filter(
    (project) => !remotesDiffer(project, seen) || Object.keys(project.places).length === 1,
  );
  if (sameFolder.length > 0) return sameFolder.find((project) => project.remotes.length > 0) ?? sameFolder[0];

  const alike = (exact: boolean): Project | undefined =>
    open.find(
      (project) =>
        !remotesDiffer(project, seen) &&
        !mappedTo(project).some(
          (place) => explicitPathOn({ ...place, within: '' }, seen.machine, explicit, homes) !== null,
        ) &&
        placesElsewhere(project, null, homes).some((place) => samePlace(place, seen, exact)),
    );
  return alike(true) ?? alike(false);
}

/** `project` with what was seen; the same object when that is nothing new. */
function withSeen(project: Project, seen: Seen): Project {
  const { machine, path, remote } = seen;
  const known = placesOn(project, machine);
  const newPlace = !known.some((other) => samePath(other, path, seen));
  const newRemote = remote !== null && !project.remotes.includes(remote);
  if (!newPlace && !newRemote) return project;
  return {
    id: project.id,
    remotes: newRemote ? [...project.remotes, remote] : project.remotes,
    // Known places keep their order: sessions must not move to and fro because two checkouts are used in turn.
    places: newPlace ? { ...project.places, [machine]: [path, ...known] } : project.places,
  };
}

function remotesDiffer(project: Project, seen: Seen): boolean {
  return seen.remote !== null && project.remotes.length > 0 && !project.remotes.includes(seen.remote);
}

function samePath(one: string, other: string, { os }: Home): boolean {
  const [left, right] = [canonicalPath(one, os), canonicalPath(other, os)];
  return left === null || right === null ? one === other : caseForm(left, os) === caseForm(right, os);
}

/** Whether two places, perhaps of two machines, are the same relative to home. Case counts only where both systems say so. */
function samePlace(
  one: Home & { readonly path: string },
  other: Home & { readonly path: string },
  exact = false,
): boolean {
  const [left, right] = [portablePath(one.path, one), portablePath(other.path, other)];
  if (left === right) return true;
  if (exact || (one.os === 'linux' && other.os === 'linux')) return false;
  return caseForm(left, 'macos') === caseForm(right, 'macos');
}

/** A path as other machines can understand it: relative to home (`~` for home itself), else absolute. */
function portablePath(path: string, { home, os }: Home): string {
  const relative = homeRelative(path, home, os);
  if (relative === null) return canonicalPath(path, os) ?? path;
  if (relative === '') return '~';
  return relative.startsWith('~') ? `./${relative}` : relative;
}

function explicitName(place: ExplicitPlace): string {
  return place.within === '' ? place.name : `${place.name}/${place.within}`;
}

function sameExplicit(one: ExplicitPlace, other: ExplicitPlace): boolean {
  return one.name === other.name && one.within === other.within;
}

function placesOn(project: Project, machine: MachineName): readonly string[] {
  return Object.hasOwn(project.places, machine) ? (project.places[machine] ?? []) : [];
}

function homeOf(homes: Homes, machine: MachineName): Home | undefined {
  return Object.hasOwn(homes, machine) ? homes[machine] : undefined;
}

/** Places of a project on machines whose home is known, apart from `machine`. */
function placesElsewhere(project: Project, machine: MachineName | null, homes: Homes): (Home & { path: string })[] {
  return Object.entries(project.places).flatMap(([other, paths]) => {
    const home = homeOf(homes, other);
    if (other === machine || home === undefined) return [];
    return paths.map((path) => ({ path, home: home.home, os: home.os }));
  });
}
