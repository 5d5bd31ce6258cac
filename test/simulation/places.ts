import type { SimulatedMachine } from './machine.ts';

/** What a path below claudeDir is, in words that mean the same on every machine. */
export type Place =
  /** Line-wise files; `log` is `session/<uuid>`, `session/<uuid>/<path>` or `history`. */
  | { readonly kind: 'log'; readonly log: string; readonly session: string | null }
  /** Files with content as a whole. */
  | { readonly kind: 'document'; readonly document: string; readonly session: string | null };

const SESSION_FILE = /^projects\/[^/]+\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.jsonl|\/(.+))$/;
const MEMORY_FILE = /^projects\/([^/]+)\/memory\/(.+)$/;

/** Documents outside `projects/` that the models write and that travel. */
const TRAVELS = /^(CLAUDE\.md|(agents|rules|commands|skills|plans|output-styles)\/.+|paste-cache\/[^/]+\.txt)$/;

/**
 * The oracle's own reading of a path, made without the product's rules: what is `null` here is not expected to travel.
 * `projects` are all project folders of the world, relative to home.
 */
export function placeOf(machine: SimulatedMachine, path: string, projects: readonly string[]): Place | null {
  if (path === 'history.jsonl') return { kind: 'log', log: 'history', session: null };
  const session = SESSION_FILE.exec(path);
  if (session) {
    const [, uuid = '', rest] = session;
    if (rest === undefined) return { kind: 'log', log: `session/${uuid}`, session: uuid };
    if (/^subagents\/.+\.jsonl$/.test(rest)) return { kind: 'log', log: `session/${uuid}/${rest}`, session: uuid };
    if (/^(tool-results\/.+|subagents\/.+\.meta\.json)$/.test(rest)) {
      return { kind: 'document', document: `session/${uuid}/${rest}`, session: uuid };
    }
    return null;
  }
  const memory = MEMORY_FILE.exec(path);
  if (memory) {
    const project = projects.find((candidate) => machine.projectFolder(candidate) === memory[1]);
    return project === undefined
      ? null
      : { kind: 'document', document: `memory:${project}/${memory[2]}`, session: null };
  }
  return TRAVELS.test(path) && !isSecretPath(path) ? { kind: 'document', document: path, session: null } : null;
}

/** Where a document lies on a machine. */
export function pathOfDocument(machine: SimulatedMachine, document: string, projects: readonly string[]): string {
  if (!document.startsWith('memory:')) return document;
  const project = projects.find((candidate) => document.startsWith(`memory:${candidate}/`)) ?? '';
  return `projects/${machine.projectFolder(project)}/memory/${document.slice(`memory:${project}/`.length)}`;
}

/** Whether there is a session in the project folder that `path` lies in: without one nobody can tell whose folder it is. */
export function hasTranscript(machine: SimulatedMachine, path: string): boolean {
  const folder = path.split('/').slice(0, 2).join('/');
  return machine.files(folder).some((file) => file.split('/').length === 3 && file.endsWith('.jsonl'));
}

/** Names that must never travel, whatever folder they lie in (the ones that the models plant). */
export function isSecretPath(path: string): boolean {
  return /(^|\/)(\.env(\..*)?|\.credentials.*|id_ed25519.*|[^/]*\.pem|\.netrc|\.git\/.*|node_modules\/.*|[^/]*\.tmp(\..*)?)$/i.test(
    path,
  );
}
