import * as vscode from 'vscode';
import { plainLine } from '../../client/plain-text.ts';
import type { HostKeyQuestion } from '../../protocol/probe.ts';

/**
 * Asks the user about host keys that nobody has accepted yet. Connecting is tried again and again in the background: a key that was turned down is
 * not asked about again before the user does something about it.
 */
export class HostKeys {
  readonly #refused = new Set<string>();
  #asking: Promise<unknown> = Promise.resolve();

  /** Whether the user trusts this key. One question at a time. */
  ask(question: HostKeyQuestion): Promise<boolean> {
    const answer = this.#asking.then(() => this.#askOne(question));
    this.#asking = answer.catch(() => undefined);
    return answer;
  }

  /** Forgets what was turned down: the user wants to connect. */
  askAgain(): void {
    this.#refused.clear();
  }

  async #askOne(question: HostKeyQuestion): Promise<boolean> {
    const mark = `${question.server} ${question.fingerprint}`;
    if (this.#refused.has(mark)) return false;
    const isAccepted = await askAboutHostKey(question);
    if (!isAccepted) this.#refused.add(mark);
    return isAccepted;
  }
}

/** The question itself, with what the user has to compare before answering. */
export async function askAboutHostKey(question: HostKeyQuestion): Promise<boolean> {
  const { server, type, fingerprint, file, compareWith } = question;
  const accept = 'Accept Key';
  const detail = [
    `Its ${plainLine(type)} key has the fingerprint`,
    plainLine(fingerprint),
    '',
    `Compare it on that machine itself: ${plainLine(compareWith)}`,
    `An accepted key is written to ${plainLine(file)}.`,
  ].join('\n');
  const title = `The host key of ${plainLine(server)} is not known yet.`;
  return (await vscode.window.showWarningMessage(title, { modal: true, detail }, accept)) === accept;
}
