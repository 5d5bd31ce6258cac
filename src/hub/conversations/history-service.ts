import type { MachineName } from '../../core/domain.ts';
import { isSessionUuid, keyForSession } from '../../core/keys/key.ts';
import { HubError } from '../../protocol/errors.ts';
import type { Session } from '../../protocol/history.ts';
import type { HubService } from '../../protocol/service.ts';
import { isPrefix } from '../engine/logs/cursor.ts';
import type { Hub } from '../hub.ts';
import type { ConversationIndex } from './conversation-index.ts';
import { liveSessions, resumePlaces } from './resume-places.ts';
import type { IndexedSession } from './session-list.ts';

type Requests = Pick<
  HubService,
  'history/projects' | 'history/sessions' | 'history/session' | 'history/page' | 'history/secrets' | 'history/search'
>;

/** Answers what clients ask about conversations: from the index, with what the hub knows of the machines. */
export function createHistoryService(hub: () => Hub, index: ConversationIndex): Requests {
  const sessionNamed = async (name: string): Promise<string> => {
    const wanted = name.toLowerCase().replace(/^session\//, '');
    if (isSessionUuid(wanted)) return wanted;
    const found = /^[0-9a-f-]{4,36}$/.test(wanted) ? await index.ask('named', wanted) : [];
    if (found.length === 1 && found[0] !== undefined) return found[0];
    throw new HubError(
      'not-found',
      found.length > 1 ? `Several conversations begin with ${name}.` : `No conversation begins with ${name}.`,
      { next: found.length > 1 ? 'Write more of its uuid.' : 'claude-sync history list shows them.' },
    );
  };

  /** Conversations that are known by now, or why not. */
  const unknown = (session: string): HubError =>
    new HubError('not-found', `There is no conversation ${session}.`, {
      next:
        index.backlog() === null
          ? 'claude-sync history list shows them.'
          : 'Conversations are still being read: try again in a moment.',
    });

  const projectId = (text: string | undefined): string | undefined => {
    if (text === undefined) return undefined;
    const { projects } = hub().store;
    if (projects.get(text) !== undefined) return text;
    const named = [...projects.values()].filter(
      ({ id }) => nameOf(id) === text || nameOf(id)?.split('/').at(-1) === text,
    );
    if (named.length === 1 && named[0] !== undefined) return named[0].id;
    throw new HubError(
      'not-found',
      named.length > 1 ? `Several projects are called ${text}.` : `There is no project ${text}.`,
      {
        next: `Projects: ${[...projects.values()]
          .slice(0, 10)
          .map(({ id }) => nameOf(id))
          .join(', ')}.`,
      },
    );
  };

  /** Sessions that a machine has; `undefined` for no machine. */
  const on = (machine: MachineName | undefined): string[] | undefined => {
    if (machine === undefined) return undefined;
    if (!hub().engine.links.has(machine))
      throw new HubError('not-found', `There is no machine ${machine}.`, {
        next: `Machines: ${[...hub().engine.links.keys()].join(', ')}.`,
      });
    const sessions: string[] = [];
    for (const { key, base } of hub().store.pairs.ofMachine(machine))
      if (base?.kind === 'file' && key.startsWith('session/') && isSessionUuid(key.slice(8)))
        sessions.push(key.slice(8));
    return sessions;
  };

  const live = (): Promise<ReadonlyMap<string, readonly MachineName[]>> =>
    liveSessions([...hub().engine.links.values()]);

  /** The sessions of a state, out of `among` if that is given. */
  const inState = async (
    state: 'live' | 'archived' | undefined,
    among: string[] | undefined,
  ): Promise<string[] | undefined> => {
    if (state === undefined) return among;
    const wanted = among === undefined ? null : new Set(among);
    const isWanted = (session: string): boolean => wanted === null || wanted.has(session);
    if (state === 'live') return [...(await live()).keys()].filter(isWanted);
    const archived: string[] = [];
    for (const { key, kind } of hub().store.heads.values()) {
      const session = key.slice(8);
      if (kind !== 'file' || !key.startsWith('session/') || !isSessionUuid(session) || !isWanted(session)) continue;
      if (machinesOf(hub(), session).machines.length === 0) archived.push(session);
    }
    return archived;
  };

  const whole = (one: IndexedSession, open: ReadonlyMap<string, readonly MachineName[]>): Session => {
    const { session, project, title, tally, bytes, agents } = one;
    const { machines, diverged } = machinesOf(hub(), session);
    return {
      ...tally,
      session,
      key: keyForSession(session),
      title,
      project,
      projectName: nameOf(project),
      bytes,
      agents,
      machines,
      live: [...(open.get(session) ?? [])],
      archivedOnly: machines.length === 0,
      diverged,
    };
  };

  return {
    'history/projects': async () => ({
      projects: (await index.ask('projects', null)).map((row) => ({
        ...row,
        name: nameOf(row.project),
        places: copied(hub().store.projects.get(row.project ?? '')?.places ?? {}),
      })),
      backlog: index.backlog(),
    }),
    'history/sessions': async ({ project, machine, state, ...more }) => {
      const sessions = await inState(state, on(machine));
      const open = await live();
      const found = await index.ask('sessions', { ...more, project: projectId(project), sessions });
      return { sessions: found.sessions.map((one) => whole(one, open)), total: found.total, backlog: index.backlog() };
    },
    'history/session': async ({ session: name }) => {
      const session = await sessionNamed(name);
      const found = await index.ask('session', session);
      if (found === null) throw unknown(session);
      return {
        session: whole(found.session, await live()),
        agents: found.agents.map(({ agent, title, tally }) => ({ ...tally, agent, title })),
        branches: [...found.branches],
        resume: await resumePlaces(hub(), session, found.session.tally),
        backlog: index.backlog(),
      };
    },
    'history/page': async ({ session: name, ...more }) => {
      const session = await sessionNamed(name);
      const page = await index.ask('page', { session, ...more });
      if (page === null) throw unknown(more.agent === undefined ? session : `${session} of agent ${more.agent}`);
      return { session, ...page, entries: [...page.entries] as never };
    },
    'history/secrets': async ({ session }) => {
      const named = session === undefined ? null : await sessionNamed(session);
      const { sessions, isComplete } = await index.ask('secrets', named);
      return {
        sessions: sessions.map((one) => ({ ...one, projectName: nameOf(one.project), secrets: [...one.secrets] })),
        isComplete: isComplete && index.backlog() === null,
      };
    },
    'history/search': async ({ project, machine, session, ...more }) => {
      const found = await index.ask('search', {
        ...more,
        project: projectId(project),
        sessions: on(machine),
        session: session === undefined ? undefined : await sessionNamed(session),
      });
      const hits = found.hits.map((hit) => ({
        ...hit,
        projectName: nameOf(hit.project),
        snippet: hit.snippet && {
          text: hit.snippet.text,
          marks: hit.snippet.marks.map(([from, to]): [number, number] => [from, to]),
        },
      }));
      return { hits, cursor: found.cursor, backlog: index.backlog() };
    },
  };
}

/** Machines that have the transcript, and whether some copy is not a prefix of the head. */
function machinesOf(hub: Hub, session: string): { machines: MachineName[]; diverged: boolean } {
  const machines: MachineName[] = [];
  let diverged = false;
  for (const { machine, base } of hub.store.pairs.ofKey(keyForSession(session))) {
    if (base?.kind !== 'file' || !hub.engine.links.has(machine)) continue;
    machines.push(machine);
    if (base.cursor !== null && !isPrefix(base.cursor)) diverged = true;
  }
  return { machines, diverged };
}

/** A project's id as people know it: `code/app` for `code%2Fapp`. */
function nameOf(id: string | null): string | null {
  if (id === null) return null;
  try {
    return decodeURIComponent(id);
  } catch (error) {
    // An id may hold a percent sign of its own.
    if (error instanceof URIError) return id;
    throw error;
  }
}

function copied(places: Readonly<Record<MachineName, readonly string[]>>): Record<MachineName, string[]> {
  return Object.fromEntries(Object.entries(places).map(([machine, paths]) => [machine, [...paths]]));
}
