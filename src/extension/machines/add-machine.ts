import * as vscode from 'vscode';
import { count } from '../../client/figures.ts';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import { CLEAN_UP_DAYS, dryRunLines, isCleanUpShort, probeFacts } from '../../client/probe-words.ts';
import { HubError } from '../../protocol/errors.ts';
import type { ParamsOf } from '../../protocol/methods.ts';
import type { DryRun, MachineTarget, MachinesAddResult, ProbeReport } from '../../protocol/probe.ts';
import { withHub, type Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import type { Documents } from '../documents.ts';
import { askAboutHostKey } from '../hub/host-keys.ts';
import { askForName, pickTarget } from './pick-target.ts';

interface Looked {
  readonly report: ProbeReport;
  readonly dryRun: DryRun | null;
}

/** What is to be done besides when a machine is added. */
type Extras = Pick<ParamsOf<'machines/add'>, 'createClaudeDir' | 'cleanUpDays'>;

/** Adding a machine, step by step: which one, its name, what it has and what the first sync would do. Before the last step nothing is changed. */
export function addMachineCommand(mirror: HubMirror, documents: Documents): Command {
  return { id: COMMANDS.addMachine, run: () => addMachine(mirror, documents) };
}

async function addMachine(mirror: HubMirror, documents: Documents): Promise<void> {
  const target = await pickTarget(mirror);
  if (target === undefined) return;
  const { machines } = await mirror.ask((hub) => hub.request('machines/list', {}));
  const machine = await askForName(
    target,
    machines.map(({ name }) => name),
  );
  if (machine === undefined) return;
  if (target.kind === 'folder') {
    const entry = { transport: 'local' as const, claudeDir: target.claudeDir };
    return add(mirror, { machine, entry, createClaudeDir: true, cleanUpDays: null });
  }
  const { server } = target;
  const looked = await look(mirror, machine, server);
  if (looked === null) return;
  const extras = await confirm(documents, machine, looked);
  if (extras !== null) await add(mirror, { machine, entry: { transport: 'ssh', ...server }, ...extras });
}

/** `null`: the user did not accept a host key. One is asked about for each server on the way. */
async function look(mirror: HubMirror, machine: string, target: MachineTarget): Promise<Looked | null> {
  const acceptHostKeys: string[] = [];
  for (;;) {
    const params = { machine, target, acceptHostKeys };
    const result = await withHub(mirror, `Looking at ${plainLine(machine)}`, (hub, signal) =>
      hub.request('machines/probe', params, { signal }),
    );
    if (result.kind === 'probed') return result;
    const { question } = result;
    if (acceptHostKeys.includes(question.fingerprint))
      throw new HubError('refused', `the host key of ${question.server} was written to ${question.file}, to no avail`, {
        unchanged: 'The machine was not added.',
        next: 'See whether ssh itself connects to it from the hub.',
      });
    if (!(await askAboutHostKey(question))) return null;
    acceptHostKeys.push(question.fingerprint);
  }
}

/** The last question. `null`: nothing is to be done. */
async function confirm(documents: Documents, machine: string, looked: Looked): Promise<Extras | null> {
  const { report } = looked;
  const { state, path } = report.claudeDir;
  if (state === 'not-a-folder' || state === 'unreadable')
    throw new HubError(
      'refused',
      `${path} on ${machine} ${state === 'unreadable' ? 'cannot be read' : 'is no folder'}`,
      {
        unchanged: 'Nothing was changed.',
        next: 'Put that right there, or name another folder in the configuration (claudeDir).',
      },
    );
  const [plain, keep, show] = ['Add', `Add, and Keep Conversations ${CLEAN_UP_DAYS} Days There`, 'Show All'];
  const offersDays = isCleanUpShort(report);
  const pressed = await vscode.window.showInformationMessage(
    `Add ${plainLine(machine)} (${plainLine(report.server)})?`,
    { modal: true, detail: summary(machine, looked) },
    plain,
    ...(offersDays ? [keep] : []),
    show,
  );
  if (pressed === show) {
    await documents.showReport(`add-${machine}.txt`, fullReport(machine, looked));
    // A document cannot be read behind a modal question: the next one is asked beside it.
    return confirmBeside(machine, state === 'missing');
  }
  if (pressed !== plain && pressed !== keep) return null;
  return { createClaudeDir: state === 'missing', cleanUpDays: pressed === keep ? CLEAN_UP_DAYS : null };
}

async function confirmBeside(machine: string, createClaudeDir: boolean): Promise<Extras | null> {
  const accept = 'Add';
  const pressed = await vscode.window.showInformationMessage(
    `Claude Sync: add ${plainLine(machine)}?`,
    accept,
    'Cancel',
  );
  return pressed === accept ? { createClaudeDir, cleanUpDays: null } : null;
}

async function add(mirror: HubMirror, params: ParamsOf<'machines/add'>): Promise<void> {
  const added = await withHub(mirror, `Adding ${plainLine(params.machine)}`, (hub) =>
    hub.request('machines/add', params),
  );
  void vscode.window.showInformationMessage(`Claude Sync: ${addedWords(added, params.cleanUpDays)}`);
}

function addedWords(
  { machine, createdClaudeDir, settingsKept }: MachinesAddResult,
  cleanUpDays: number | null,
): string {
  const name = plainLine(machine);
  return [
    `${name} is added; the hub connects to it and unites both sides. Nothing is deleted.`,
    ...(createdClaudeDir ? ['Its Claude folder was made.'] : []),
    ...(cleanUpDays === null ? [] : [`Claude Code there keeps conversations for ${cleanUpDays} days now.`]),
    ...(settingsKept === null ? [] : [`Its settings as they were: ${plainLine(settingsKept)}.`]),
  ].join(' ');
}

/** What decides: what it has, what would be carried, what is in the way. */
function summary(machine: string, { report, dryRun }: Looked): string {
  const { claudeDir, sessions, watcher } = report;
  const problems = probeFacts(report, 'Claude Code can be told to keep them longer').filter(({ fix }) => fix !== null);
  return [
    `${report.os}, ${count(sessions, 'conversation')}; changes are noticed by ${watcher.kind}.`,
    ...(claudeDir.state === 'missing' ? [`There is no ${plainLine(claudeDir.path)} yet: it is made.`] : []),
    '',
    ...(dryRun === null
      ? []
      : ['The first sync would', ...dryRunLines(machine, dryRun).map(({ text }) => `• ${text}`), '']),
    ...problems.map(({ what, text, fix }) => `${what}: ${text} (better: ${fix ?? ''})`),
  ].join('\n');
}

function fullReport(machine: string, { report, dryRun }: Looked): string {
  const facts = probeFacts(report, 'Claude Code can be told to keep them longer').flatMap(({ what, text, fix }) => [
    `${what.padEnd(14)}${text}`,
    ...(fix === null ? [] : [`${' '.repeat(14)}better: ${fix}`]),
  ]);
  const first =
    dryRun === null ? [] : ['', 'the first sync would', ...dryRunLines(machine, dryRun).map(({ text }) => `  ${text}`)];
  return `${[`${plainLine(machine)}: ${plainLine(report.server)}`, ...facts, ...first].join('\n')}\n`;
}
