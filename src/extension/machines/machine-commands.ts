import * as vscode from 'vscode';
import { bytes, count, duration } from '../../client/figures.ts';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import { NOT_WAITED_FOR_WORDS } from '../../client/wait-words.ts';
import type { MachineReport } from '../../protocol/status.ts';
import type { ResumeMode, ResumePlan } from '../../protocol/machines.ts';
import type { SyncNowResult, WaitResult } from '../../protocol/sync.ts';
import { withHub, type Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import type { Documents } from '../documents.ts';
import { pickText } from '../figures.ts';
import { subjectOf } from '../subject.ts';
import { machineWords } from './machine-nodes.ts';
import { openMachineConfig } from './open-machine-config.ts';
import { reasonWords } from './reason-words.ts';

/** Everything that is done with one machine, or all of them. */
export function machineCommands(mirror: HubMirror, documents: Documents): Command[] {
  const withMachine =
    (title: string, task: (machine: string) => Promise<void>, only: (machine: MachineReport) => boolean = () => true) =>
    async (argument: unknown): Promise<void> => {
      const machine = subjectOf(argument, 'machine')?.machine ?? (await pickMachine(mirror, title, only));
      if (machine !== undefined) await task(machine);
    };
  return [
    { id: COMMANDS.syncNow, run: () => syncNow(mirror) },
    { id: COMMANDS.syncMachine, run: withMachine('Sync which machine?', (machine) => syncNow(mirror, machine)) },
    { id: COMMANDS.waitUntilInSync, run: () => wait(mirror, documents) },
    {
      id: COMMANDS.testMachine,
      run: withMachine('Test which machine?', (machine) => test(mirror, documents, machine)),
    },
    {
      id: COMMANDS.pauseMachine,
      run: withMachine(
        'Pause which machine?',
        async (machine) => void (await mirror.ask((hub) => hub.request('machines/pause', { machine }))),
        ({ status }) => status !== 'paused' && status !== 'quarantined',
      ),
    },
    {
      id: COMMANDS.resumeMachine,
      run: withMachine(
        'Resume which machine?',
        (machine) => resume(mirror, machine),
        ({ status }) => status === 'paused' || status === 'quarantined',
      ),
    },
    {
      id: COMMANDS.openMachineConfig,
      run: withMachine('Open the configuration of which machine?', (machine) => openMachineConfig(mirror, machine)),
    },
    { id: COMMANDS.removeMachine, run: withMachine('Remove which machine?', (machine) => remove(mirror, machine)) },
  ];
}

async function pickMachine(
  mirror: HubMirror,
  title: string,
  only: (machine: MachineReport) => boolean,
): Promise<string | undefined> {
  // A hub that is not connected yet is asked: its failure says what to do.
  const { machines } = await mirror.ask((hub) => hub.request('hub/status', {}));
  const items = machines
    .filter(only)
    .map((machine) => ({ label: pickText(machine.name), description: pickText(machineWords(machine)), machine }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage('Claude Sync: there is no machine that this can be done with.');
    return undefined;
  }
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.machine.name;
}

async function syncNow(mirror: HubMirror, machine?: string): Promise<void> {
  const title = machine === undefined ? 'Syncing all machines' : `Syncing ${plainLine(machine)}`;
  const { machines } = await withHub(mirror, title, (hub, signal) =>
    hub.request('sync/now', machine === undefined ? {} : { machine }, { signal }),
  );
  const problems = machines.filter(({ problem }) => problem !== null);
  const words = machines.map(outcome).join('; ');
  if (problems.length > 0) void vscode.window.showWarningMessage(`Claude Sync: ${words}`);
  else vscode.window.setStatusBarMessage(`Claude Sync: ${words}`, 10_000);
}

function outcome({ name, problem, files, changes }: SyncNowResult['machines'][number]): string {
  return `${plainLine(name)}: ${problem === null ? `${count(files, 'file')}, ${count(changes, 'change')}` : plainLine(problem)}`;
}

async function wait(mirror: HubMirror, documents: Documents): Promise<void> {
  const result = await withHub(mirror, 'Waiting until every reachable machine has everything', (hub, signal) =>
    hub.request('hub/wait', { timeoutMs: null }, { signal }),
  );
  const left = result.notWaitedForTotal;
  const words = `every reachable machine has everything (${duration(result.waitedMs)})${left > 0 ? `; not waited for: ${count(left, 'thing')}` : ''}`;
  const show = 'Show';
  const pressed = await vscode.window.showInformationMessage(`Claude Sync: ${words}`, ...(left > 0 ? [show] : []));
  if (pressed === show) await documents.showReport('not-waited-for.txt', notWaitedFor(result));
}

function notWaitedFor({ notWaitedFor: list, notWaitedForTotal }: WaitResult): string {
  const lines = list.map(({ machine, key, why, reason }) => {
    const what = key === null ? machine : `${key} on ${machine}`;
    return `${plainLine(what)}: ${NOT_WAITED_FOR_WORDS[why]}${reason === null ? '' : ` (${plainLine(reason)})`}`;
  });
  const more = notWaitedForTotal - list.length;
  return `${[...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')}\n`;
}

async function test(mirror: HubMirror, documents: Documents, machine: string): Promise<void> {
  const name = plainLine(machine);
  const { passed, steps } = await withHub(mirror, `Testing ${name}`, (hub, signal) =>
    hub.request('machines/test', { machine }, { signal }),
  );
  const lines = steps.flatMap(({ step, outcome: how, ms, message, fix }) => [
    `${how.padEnd(7)}  ${step.padEnd(14)}  ${(ms === null ? '' : `${ms.toFixed(1)} ms`).padStart(10)}  ${plainLine(message)}`,
    ...(fix === null ? [] : [`         fix: ${plainLine(fix)}`]),
  ]);
  const headline = `${name}: ${passed ? 'all that is needed works' : 'does not work'}`;
  await documents.showReport('test.txt', `${[headline, ...lines].join('\n')}\n`);
}

/** A mere pause just ends. What a safeguard stopped is resumed in a mode that the user chooses, seeing what each would do. */
async function resume(mirror: HubMirror, machine: string): Promise<void> {
  const name = plainLine(machine);
  const seen = await mirror.ask((hub) => hub.request('machines/resume', { machine, mode: null, preview: true }));
  let mode: ResumeMode | null = null;
  if (seen.quarantine !== null) {
    const items = seen.plans.map((plan) => ({ label: MODE_WORDS[plan.mode], detail: pickText(planWords(plan)), plan }));
    const title = `${name} was stopped: ${reasonWords(seen.quarantine)}`;
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: 'How is it to go on?' });
    if (chosen === undefined) return;
    mode = chosen.plan.mode;
    if (chosen.plan.deleted > 0 && !(await isSure(name, chosen.plan))) return;
  }
  await mirror.ask((hub) => hub.request('machines/resume', { machine, mode, preview: false }));
}

const MODE_WORDS: Readonly<Record<ResumeMode, string>> = {
  refill: 'Refill: unite both sides, delete nothing',
  'accept-deletes': 'Accept the deletes: what is gone there was meant to go',
  'new-id': 'Its folder is a copy: give it a mark of its own, then unite',
};

function planWords({ written, read, deleted, conflicts }: ResumePlan): string {
  return [
    ...(written.files === 0 ? [] : [`writes ${count(written.files, 'file')} there (${bytes(written.bytes)})`]),
    ...(read.files === 0 ? [] : [`reads ${count(read.files, 'file')} (${bytes(read.bytes)})`]),
    deleted === 0 ? 'deletes nothing' : `deletes ${count(deleted, 'file')} on all machines`,
    ...(conflicts === 0 ? [] : [`${count(conflicts, 'conflict')} for you`]),
  ].join(', ');
}

async function isSure(name: string, { deleted, examples }: ResumePlan): Promise<boolean> {
  const accept = `Delete ${count(deleted, 'File')}`;
  const detail = `They are deleted on all machines, and kept as versions at the hub.\n\n${examples.map(plainLine).join('\n')}`;
  const question = `Accept that ${count(deleted, 'file')} ${deleted === 1 ? 'was' : 'were'} deleted on ${name}?`;
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, accept)) === accept;
}

async function remove(mirror: HubMirror, machine: string): Promise<void> {
  const name = plainLine(machine);
  const accept = 'Remove';
  const pressed = await vscode.window.showWarningMessage(
    `Take ${name} out of the configuration?`,
    { modal: true, detail: 'Nothing is deleted: its files stay there, and what the hub has of it stays at the hub.' },
    accept,
  );
  if (pressed !== accept) return;
  await withHub(mirror, `Removing ${name}`, (hub) => hub.request('machines/remove', { machine }));
}
