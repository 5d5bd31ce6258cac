import { basename } from 'node:path/posix';
import * as vscode from 'vscode';
import { count } from '../../client/figures.ts';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import type { Conflict } from '../../protocol/conflicts.ts';
import type { MachineReport } from '../../protocol/status.ts';
import { COMMANDS, SETTINGS, VIEWS } from '../contributions.ts';
import { reasonWords } from '../machines/reason-words.ts';
import type { Subject } from '../tree/tree-node.ts';
import { NewsWatch } from './news.ts';
import type { Notices } from './notices.ts';

/** Where it is remembered, for all windows, of which conflicts the user was told. */
const TOLD_AT = 'notices.conflictsToldAt';

/** Tells the user of what waits for a decision, once. */
export class TellNews {
  readonly #mirror: HubMirror;
  readonly #notices: Notices;
  readonly #memory: vscode.Memento;
  readonly #watch: NewsWatch;

  constructor(mirror: HubMirror, notices: Notices, memory: vscode.Memento) {
    this.#mirror = mirror;
    this.#notices = notices;
    this.#memory = memory;
    this.#watch = new NewsWatch(memory.get(TOLD_AT, 0));
  }

  /** To be called after each change of the mirror. Resolves when what was told has been answered. */
  async look(): Promise<void> {
    const { state, conflicts } = this.#mirror;
    if (state.kind !== 'running') return;
    const news = this.#watch.look(conflicts, state.status.machines);
    if (news.conflicts.length > 0) await this.#memory.update(TOLD_AT, this.#watch.toldAt);
    await Promise.all([
      ...(news.conflicts.length === 0 ? [] : [this.#conflicts(news.conflicts)]),
      ...news.quarantined.map((machine) => this.#quarantine(machine)),
    ]);
  }

  async #conflicts(conflicts: readonly Conflict[]): Promise<void> {
    const [first] = conflicts;
    if (first === undefined) return;
    const between = first.sides.map(({ machine }) => plainLine(machine)).join(' and ');
    const one = `${between} changed ${plainLine(basename(first.key))} in ways that cannot be merged; both keep their own until you decide.`;
    const words = conflicts.length === 1 ? one : `${count(conflicts.length, 'conflict')} wait for your decision.`;
    const [compare, show] = ['Compare', 'Show Conflicts'];
    const pressed = await this.#notices.tell(SETTINGS.notifyConflicts, words, conflicts.length === 1 ? compare : show);
    const subject: Subject = { kind: 'conflict', id: first.id };
    if (pressed === compare) await vscode.commands.executeCommand(COMMANDS.openConflict, { subject });
    if (pressed === show) await vscode.commands.executeCommand(`${VIEWS.conflicts}.focus`);
  }

  async #quarantine({ name, reason }: MachineReport): Promise<void> {
    const words = [
      `a safeguard stopped ${plainLine(name)}.`,
      reasonWords(reason),
      'Nothing is written to it, and nothing from it is passed on, until you resume it.',
    ]
      .filter((sentence) => sentence !== '')
      .join(' ');
    const resume = 'Resume…';
    const pressed = await this.#notices.tell(SETTINGS.notifyQuarantine, words, resume);
    const subject: Subject = { kind: 'machine', machine: name };
    if (pressed === resume) await vscode.commands.executeCommand(COMMANDS.resumeMachine, { subject });
  }
}
