import { execa } from 'execa';
import type { Alert } from '../../core/alerts/alert.ts';
import type { Clock } from '../ports/clock.ts';
import { fillArguments, type CommandWords } from './command-line.ts';

/** A program that takes longer is ended. */
export const LONGEST_RUN_MS = 10_000;
/** Alerts that wait for the program; more are not told to it. */
export const MOST_WAITING = 20;

/**
 * What the program gets of the hub's environment: what shows a notification on a desktop, and no more. Tokens and agents of the hub's
 * user are none of its business.
 */
const PASSED_ON = new Set(
  [
    'PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR',
    'DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_RUNTIME_DIR XDG_CURRENT_DESKTOP DBUS_SESSION_BUS_ADDRESS',
    'SYSTEMROOT SYSTEMDRIVE WINDIR USERPROFILE USERNAME APPDATA LOCALAPPDATA PROGRAMDATA TEMP TMP PATHEXT',
  ].flatMap((line) => line.split(' ')),
);

/** How the program of the user is run. */
export interface CommandHookOptions {
  /** Program and arguments, `null` for none; read anew for each alert. */
  readonly command: () => readonly string[] | null;
  readonly clock: Clock;
  /** It could not be run as wished. Told once, and again only after it has succeeded or another one was configured. */
  readonly onTrouble: (error: Error) => void;
  /** Default: of this process. */
  readonly env?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
}

interface Job {
  readonly program: string;
  readonly words: readonly string[];
}

interface RunningProgram {
  readonly pid?: number | undefined;
  kill(signal: 'SIGKILL'): boolean;
}

/** Runs the user's own program for each new alert: arguments, never a shell; one at a time, and never for troubles of its own. */
export class CommandHook {
  readonly #options: CommandHookOptions;
  readonly #waiting: Job[] = [];
  #running: Promise<void> | null = null;
  #process: RunningProgram | null = null;
  /** What runs is waited for no more. */
  #giveUp = (): void => undefined;
  #isStopped = false;
  /** The program whose trouble was told. */
  #toldOf: string | null = null;

  constructor(options: CommandHookOptions) {
    this.#options = options;
  }

  /** Runs the program for `alert`, behind those that wait. */
  tell(alert: Alert, event: CommandWords['event']): void {
    const command = this.#options.command();
    const [program, ...given] = command ?? [];
    if (program === undefined || this.#isStopped) return;
    if (this.#waiting.length >= MOST_WAITING)
      return this.#trouble(program, `more than ${MOST_WAITING} alerts wait for it, the newest are left out`);
    this.#waiting.push({ program, words: fillArguments(given, wordsOf(alert, event)) });
    this.#running ??= this.#work();
  }

  /** Ends what runs, and forgets what waits. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#waiting.length = 0;
    this.#kill();
    await this.#running;
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #work(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) await this.#run(job);
    this.#running = null;
  }

  async #run({ program, words }: Job): Promise<void> {
    const { clock, env = process.env, platform = process.platform } = this.#options;
    if (platform === 'win32' && !/\.(exe|com)$/i.test(program))
      return this.#trouble(program, 'on Windows it has to be an .exe: anything else goes through a command line');
    let isLate = false;
    let giveUp = (): void => undefined;
    const isLeft = new Promise<null>((resolve) => (giveUp = () => resolve(null)));
    this.#giveUp = giveUp;
    const cancel = clock.after(LONGEST_RUN_MS, () => {
      isLate = true;
      this.#kill();
    });
    try {
      const running = execa(program, words, {
        stdio: 'ignore',
        env: passedOn(env),
        extendEnv: false,
        reject: false,
        // A group of its own can be ended as a whole, with all that the program started.
        detached: platform !== 'win32',
        cleanup: platform === 'win32',
        windowsHide: true,
      });
      this.#process = running;
      const ended = await Promise.race([running, isLeft]);
      if (this.#isStopped) return;
      if (ended === null) return this.#trouble(program, 'it takes too long, and may not be ended');
      const { exitCode, signal, code } = ended;
      if (isLate) this.#trouble(program, `it took longer than ${LONGEST_RUN_MS / 1_000} s and was ended`);
      else if (exitCode === 0) this.#toldOf = null;
      else
        this.#trouble(
          program,
          exitCode === undefined
            ? `it did not run (${code ?? signal ?? 'no reason is known'})`
            : `it ended with code ${exitCode}`,
        );
    } catch (error) {
      // Arguments that no program can be given, for example.
      this.#trouble(program, error instanceof Error ? error.message : String(error));
    } finally {
      cancel();
      this.#process = null;
    }
  }

  #kill(): void {
    const running = this.#process;
    if (running?.pid === undefined) return;
    const { platform = process.platform, onTrouble } = this.#options;
    if (platform === 'win32') {
      execa('taskkill', ['/pid', String(running.pid), '/t', '/f'], { stdio: 'ignore', reject: false }).then(
        () => running.kill('SIGKILL'),
        (error: unknown) => onTrouble(error instanceof Error ? error : new Error(String(error))),
      );
      return;
    }
    try {
      process.kill(-running.pid, 'SIGKILL');
    } catch (error) {
      // It has ended by itself, or belongs to somebody else by now, as after sudo: then it is left behind, and nothing waits for it.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') this.#giveUp();
    }
  }

  #trouble(program: string, why: string): void {
    if (this.#toldOf === program) return;
    this.#toldOf = program;
    this.#options.onTrouble(
      new Error(`alerts.command: ${program}: ${why}; alerts are shown by claude-sync alerts all the same`),
    );
  }
}

function wordsOf({ id, severity, machine, message, next }: Alert, event: CommandWords['event']): CommandWords {
  const title = machine === null ? `Claude Sync: ${severity}` : `Claude Sync: ${severity} (${machine})`;
  return { event, id, severity, machine: machine ?? '', title, message, next: next ?? '' };
}

function passedOn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => PASSED_ON.has(name.toUpperCase()) || name.startsWith('LC_')),
  );
}
