import * as vscode from 'vscode';
import type { HubEnd, HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import { whileWaiting } from '../command.ts';
import { COMMANDS, SETTINGS } from '../contributions.ts';
import type { Notices } from '../notices/notices.ts';
import { autoStart, remember } from '../settings.ts';
import type { HubControl } from './hub-control.ts';
import { isOlder } from './versions.ts';

/** Where it is remembered that the question of the first use was asked. */
const ASKED = 'hub.askedToStart';
/** A hub that ends more often than this within the time has a reason, which a further start does not remove. */
const MOST_STARTS = 3;
const WITHIN_MS = 10 * 60_000;

/** What the policy works with. */
export interface AutoStartOptions {
  readonly mirror: HubMirror;
  readonly control: HubControl;
  readonly notices: Notices;
  readonly memory: vscode.Memento;
  /** Version of the extension, and of the hub in it. */
  readonly version: string;
  /** Carries out a task, and shows its failure. */
  readonly attempt: (task: () => Promise<void>) => void;
}

/**
 * When a hub of this computer is started without a command: at first use after a question, later as the setting says; again after a crash; and
 * anew when it is older than the extension. Never one that the user stopped, one that is a service, or one on another machine.
 */
export class AutoStart {
  readonly #options: AutoStartOptions;
  readonly #starts: number[] = [];
  #isFirstLook = true;
  /** The hub that was looked at last, and the service that runs it. */
  #known: { readonly pid: number; service: string | null } | null = null;

  constructor(options: AutoStartOptions) {
    this.#options = options;
  }

  /** To be called after each change of the mirror's state. */
  stateChanged(): void {
    const { mirror, control } = this.#options;
    if (!control.isHere) return;
    const { kind } = mirror.state;
    if (kind === 'not-running' && this.#isFirstLook) this.#notRunning();
    if (kind === 'running') this.#meet();
    if (kind !== 'connecting') this.#isFirstLook = false;
  }

  /** To be called when the hub is gone. */
  ended({ elsewhere, wasStopping }: HubEnd): void {
    if (elsewhere !== null || wasStopping) return;
    this.#options.attempt(() => this.#crashed());
  }

  #notRunning(): void {
    const { control, memory, attempt } = this.#options;
    if (control.isWantedStopped) return;
    const wanted = autoStart();
    if (wanted === 'always') attempt(() => this.#start());
    if (wanted === 'ask' && !memory.get(ASKED, false)) attempt(() => this.#askFirst());
  }

  /** One question ever: whoever turns it away finds the button in the view. */
  async #askFirst(): Promise<void> {
    const { memory } = this.#options;
    await memory.update(ASKED, true);
    const [start, always, never] = ['Start', 'Always Start', 'Never'];
    const question = 'Keep Claude Code the same on all of your machines? The hub that does it is not running.';
    const pressed = await vscode.window.showInformationMessage(`Claude Sync: ${question}`, start, always, never);
    if (pressed === always) await remember(SETTINGS.hubAutoStart, 'always');
    if (pressed === never) await remember(SETTINGS.hubAutoStart, 'never');
    if (pressed === start || pressed === always) await this.#start();
  }

  /** The connection ended without a word: the hub was killed or failed, unless it only closed this connection. */
  async #crashed(): Promise<void> {
    const { mirror, control } = this.#options;
    await mirror.refresh();
    // Still there, or another window was faster.
    if (mirror.state.kind === 'running') return;
    const service = this.#known?.service ?? null;
    if (service !== null)
      return this.#tellOfCrash(`the hub ended unexpectedly; the service ${plainLine(service)} is to start it again.`);
    if (autoStart() === 'always' && !control.isWantedStopped && this.#mayStart()) {
      await this.#start();
      return this.#tellOfCrash('the hub had ended unexpectedly, and was started again.');
    }
    await this.#tellOfCrash(
      'the hub ended unexpectedly. Nothing is lost; changes are carried again when it runs.',
      'Restart Hub',
    );
  }

  async #tellOfCrash(words: string, ...restart: string[]): Promise<void> {
    const log = 'Show Log';
    const pressed = await this.#options.notices.tell(SETTINGS.notifyHubCrash, words, ...restart, log);
    if (pressed === log) await vscode.commands.executeCommand(COMMANDS.showLog);
    else if (pressed !== undefined) await this.#start();
  }

  #mayStart(): boolean {
    const now = Date.now();
    while (this.#starts[0] !== undefined && now - this.#starts[0] > WITHIN_MS) this.#starts.shift();
    this.#starts.push(now);
    return this.#starts.length <= MOST_STARTS;
  }

  #start(): Promise<void> {
    return whileWaiting('Starting the hub', () => this.#options.control.start());
  }

  /** Once for each hub. */
  #meet(): void {
    const { mirror, control, version, attempt } = this.#options;
    const { hello } = mirror;
    if (hello === null || hello.pid === this.#known?.pid) return;
    const known = { pid: hello.pid, service: null as string | null };
    this.#known = known;
    attempt(async () => {
      known.service = await control.service();
      // Whoever set up the service also brings it up to date.
      if (known.service === null && isOlder(hello.version, version)) await this.#upgrade(hello.version);
    });
  }

  async #upgrade(running: string): Promise<void> {
    const { control, version } = this.#options;
    const wanted = autoStart();
    if (wanted === 'never') return;
    if (wanted === 'ask') {
      const restart = 'Restart Hub';
      const words = `version ${plainLine(running)} of the hub is running, and this extension brings ${version}.`;
      const pressed = await vscode.window.showInformationMessage(`Claude Sync: ${words}`, restart, 'Later');
      if (pressed !== restart) return;
    }
    await whileWaiting('Restarting the hub', () => control.restart());
  }
}
