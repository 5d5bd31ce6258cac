import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { folderName } from '../src/core/projects/folder-name.ts';
import { Dice, transcript, type SessionFacts } from './records.ts';

/** How large a tree to make. */
export interface TreeSize {
  readonly projects: number;
  readonly files: number;
  readonly bytes: number;
  /** One transcript is this long. */
  readonly longest: number;
}

/** A tree as it was made. */
export interface Tree {
  readonly files: number;
  readonly bytes: number;
  readonly folders: number;
  /** Transcripts below claudeDir: an ordinary one, and the longest. */
  readonly ordinary: Conversation;
  readonly longest: Conversation;
}

/** A transcript that can be written on. */
export interface Conversation extends SessionFacts {
  readonly path: string;
}

const SESSIONS_PER_FILE = 0.24;

/**
 * Makes a `.claude` tree below `home`: of every hundred files 24 are transcripts, half of which have a folder of sidecars
 * (subagents with their facts, tool results), the others memory, pastes, plans, agents and skills.
 */
export function makeTree(home: string, size: TreeSize, seed = 7): Tree {
  const dice = new Dice(seed);
  const root = join(home, '.claude');
  const folders = new Set<string>();
  let files = 0;
  let bytes = 0;
  const put = (path: string, pieces: Iterable<string>): void => {
    const file = join(root, path);
    const folder = dirname(file);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let at = folder; at !== root && !folders.has(at); at = dirname(at)) folders.add(at);
    const descriptor = openSync(file, 'wx', 0o600);
    for (const piece of pieces) bytes += writeSync(descriptor, piece);
    closeSync(descriptor);
    files += 1;
  };
  mkdirSync(root, { recursive: true, mode: 0o700 });

  const sessions = Math.floor(size.files * SESSIONS_PER_FILE);
  const shared = Math.max(0, size.bytes - size.longest);
  const meanTranscript = (shared * 0.76) / sessions;
  const withSidecars = Math.floor(sessions / 2);
  const memory = size.projects * 2;
  const sidecars = Math.floor(size.files * 0.64);
  const agentLogs = Math.max(1, Math.floor(sidecars / 3));
  let conversation: Conversation | null = null;
  let longest: Conversation | null = null;
  let sidecarsLeft = sidecars;
  for (let number = 0; number < sessions; number += 1) {
    const cwd = join(home, 'code', `project-${number % size.projects}`);
    const folder = `projects/${folderName(cwd)}`;
    const facts = { session: dice.uuid(), cwd, dice };
    const path = `${folder}/${facts.session}.jsonl`;
    // Most conversations are short and a few are long: three quarters of them below the mean.
    const share = dice.below(4) === 0 ? 2.2 : 0.6;
    put(path, transcript(facts, number === 1 ? size.longest : meanTranscript * share));
    if (number === 1) longest = { ...facts, path };
    if (number === 2) conversation = { ...facts, path };
    if (number >= withSidecars) continue;
    const many = Math.min(sidecarsLeft, Math.ceil(sidecarsLeft / (withSidecars - number)));
    sidecarsLeft -= many;
    for (let at = 0; at < many; at += 1) {
      const kind = at % 3;
      const id = dice.below(0xffffffff).toString(16).padStart(8, '0');
      const base = `${folder}/${facts.session}`;
      if (kind === 0) put(`${base}/subagents/agent-${id}.jsonl`, transcript(facts, (shared * 0.2) / agentLogs));
      else if (kind === 1)
        put(`${base}/subagents/agent-${id}.meta.json`, [`{"agentId":"${id}","session":"${facts.session}"}`]);
      else put(`${base}/tool-results/${id}.txt`, transcript(facts, 9_000));
    }
  }
  for (let number = 0; number < memory; number += 1) {
    const cwd = join(home, 'code', `project-${number % size.projects}`);
    put(`projects/${folderName(cwd)}/memory/note-${number}.md`, [`# Note ${number}\n\nWhat was decided.\n`]);
  }
  for (let number = 0; files < size.files - 1; number += 1) {
    if (number % 5 === 0) put(`plans/plan-${number}.md`, [`# Plan ${number}\n`]);
    else if (number % 5 === 1) put(`agents/agent-${number}.md`, [`---\nname: a${number}\n---\nDo it.\n`]);
    else if (number % 5 === 2) put(`skills/skill-${number}/SKILL.md`, [`# Skill ${number}\n`]);
    else
      put(
        `paste-cache/${number.toString(16).padStart(16, '0')}.txt`,
        transcript({ session: '', cwd: '', dice }, 4_000),
      );
  }
  if (conversation === null || longest === null)
    throw new Error(`a tree of ${size.files} files is too small to measure`);
  writeFileSync(
    join(root, 'history.jsonl'),
    `{"display":"hello","pastedContents":{},"timestamp":1767000000000,"project":"${conversation.cwd}","sessionId":"${conversation.session}"}\n`,
  );
  return { files: files + 1, bytes, folders: folders.size, ordinary: conversation, longest };
}

/** One more transcript of about `bytes` bytes in a tree that is there, in its first project. */
export function addConversation(home: string, bytes: number, seed: number): Conversation {
  const dice = new Dice(seed);
  const facts = { session: dice.uuid(), cwd: join(home, 'code', 'project-0'), dice };
  const path = `projects/${folderName(facts.cwd)}/${facts.session}.jsonl`;
  // Complete at once, as far as the hub can see.
  const file = join(home, '.claude', path);
  const descriptor = openSync(`${file}.tmp`, 'wx', 0o600);
  for (const piece of transcript(facts, bytes)) writeSync(descriptor, piece);
  closeSync(descriptor);
  renameSync(`${file}.tmp`, file);
  return { ...facts, path };
}
