import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import type { Subject } from '../tree/tree-node.ts';
import { HubError } from '../../protocol/errors.ts';
import { withHub, type Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import { pickText } from '../figures.ts';
import { subjectOf } from '../subject.ts';
import { runInShell } from '../terminal/run-in-shell.ts';
import { cloneOf } from './clone-of.ts';

type PullSubject = Extract<Subject, { kind: 'pull' }>;

/** Refreshing, opening and checking out pull requests. */
export function pullCommands(mirror: HubMirror): Command[] {
  return [
    {
      id: COMMANDS.refreshPulls,
      run: async () => {
        await withHub(mirror, 'Asking GitHub for your pull requests', (hub, signal) =>
          hub.request('pulls/refresh', { look: true }, { signal }),
        );
      },
    },
    {
      id: COMMANDS.openPull,
      run: async (argument) => {
        const pull = await pullOf(mirror, argument);
        if (pull !== undefined) await openAddress(pull.url);
      },
    },
    {
      id: COMMANDS.copyCheckoutCommand,
      run: async (argument) => {
        const pull = await pullOf(mirror, argument);
        if (pull === undefined) return;
        await copy(['gh', ...checkoutWords(pull)].join(' '));
      },
    },
    {
      id: COMMANDS.checkOutPull,
      run: async (argument) => {
        const pull = await pullOf(mirror, argument);
        if (pull !== undefined) await checkOut(pull);
      },
    },
    {
      id: COMMANDS.copyResumeCommand,
      run: async (argument) => {
        const session = subjectOf(argument, 'session')?.session;
        if (session !== undefined) await copy(['claude', ...resumeWords(session)].join(' '));
      },
    },
    {
      id: COMMANDS.openConversation,
      run: async (argument) => {
        const session = subjectOf(argument, 'session')?.session;
        if (session !== undefined) resume(session);
      },
    },
  ];
}

async function pullOf(mirror: HubMirror, argument: unknown): Promise<PullSubject | undefined> {
  const subject = subjectOf(argument, 'pull');
  if (subject !== null) return subject;
  const { pulls } = await mirror.ask((hub) => hub.request('pulls/list', {}));
  const items = pulls.map(({ title, repository, number, author, url }) => ({
    label: pickText(title),
    description: pickText(`${repository}#${number} · ${author}`),
    pull: { kind: 'pull', repository, number, url } as const,
  }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage('Claude Sync: no open pull request is known.');
    return undefined;
  }
  const picked = await vscode.window.showQuickPick(items, { title: 'Which pull request?', matchOnDescription: true });
  return picked?.pull;
}

function checkoutWords({ number, repository }: PullSubject): string[] {
  return ['pr', 'checkout', String(number), '--repo', repository];
}

/** In the folder that is a clone of it; where none is open, the command is there to be copied. */
async function checkOut(pull: PullSubject): Promise<void> {
  const words = ['gh', ...checkoutWords(pull)];
  const name = plainLine(`${pull.repository}#${pull.number}`);
  const cwd = await cloneOf(pull.repository);
  if (cwd !== null) return runInShell({ name, words, icon: 'git-pull-request', cwd });
  const button = 'Copy Command';
  const told = `Claude Sync: no folder of this window is a clone of ${plainLine(pull.repository)}.`;
  if ((await vscode.window.showInformationMessage(told, button)) === button) await copy(words.join(' '));
}

/** @throws {HubError} for what is no id: it becomes a word of a command. */
function resumeWords(session: string): string[] {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(session))
    throw new HubError('refused', `${plainLine(session)} is no id of a conversation`);
  return ['--resume', session];
}

/** In the folder of the window: Claude Code finds a conversation from the project that it was held in. */
function resume(session: string): void {
  runInShell({ name: 'Claude Code', words: ['claude', ...resumeWords(session)], icon: 'comment-discussion' });
}

/** The address comes from GitHub by way of the hub: nothing but a web page is opened. */
async function openAddress(url: string): Promise<void> {
  const uri = vscode.Uri.parse(url, true);
  if (uri.scheme !== 'https') throw new HubError('refused', `${url} is no address of a web page`);
  await vscode.env.openExternal(uri);
}

async function copy(text: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(`Claude Sync: copied: ${text}`, 5_000);
}
