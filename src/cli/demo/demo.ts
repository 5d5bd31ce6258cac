import type { HubClient } from '../../client/connect.ts';
import { HubError } from '../../protocol/errors.ts';
import { Cli } from '../cli.ts';
import { EXIT, type ExitCode } from '../failure.ts';
import { waitForExit } from '../../client/processes.ts';
import { Conversation, type ConversationLine } from './conversation.ts';
import { Narrator } from './narrator.ts';
import { buildStage, type DemoMachine, type Stage } from './stage.ts';

const START_MS = 30_000;
const SETTLE_MS = 60_000;
const STOP_MS = 30_000;
/** The product's promise is far below; this is the limit that must never be passed. */
const TRAVEL_LIMIT_MS = 10_000;
/** A sweep is believed after a second look 3 s later (docs/sync.md section 3, rule 7). */
const SWEEP_LIMIT_MS = 30_000;
const TRIPS = 5;
/** Between two lines of somebody who types. */
const TYPING_MS = 300;
const NOTICE_POLL_MS = 50;

/**
 * Runs the demo: three local machines with homes of their own and a hub with its own data, all in one temporary folder;
 * nothing of the user's is touched. Everything it says it has checked.
 * @throws {ClaimFailed} when a claim does not hold, after everything was cleaned up.
 */
export async function runDemo(cli: Cli, options: { readonly keep: boolean }): Promise<ExitCode> {
  const stage = await buildStage(cli.world.tmp);
  const narrator = new Narrator(cli.out);
  const demo = new Demo(cli, stage, narrator);
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    // The hub is a process of its own and would outlive an interrupted demo.
    await Promise.race([demo.play(), interrupted(interruption.signal)]);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await demo.end();
    if (!options.keep) await stage.remove();
  }
  narrator.chapter('Done');
  const where = options.keep ? `The machines are in ${stage.root}` : 'Everything was removed again';
  narrator.tell('done', `${where}.`, { root: stage.root, kept: options.keep });
  return EXIT.done;
}

function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the demo was interrupted')), { once: true });
  });
}

class Demo {
  readonly #cli: Cli;
  readonly #stage: Stage;
  readonly #narrator: Narrator;
  readonly #talk = new Conversation();
  /** Every line that was ever written, by its uuid. */
  readonly #written = new Map<string, string>();
  #hub: HubClient | null = null;
  #starting: Promise<void> = Promise.resolve();
  #over = false;

  constructor(cli: Cli, stage: Stage, narrator: Narrator) {
    const { configFile: config, dataDir, socket } = stage;
    this.#cli = new Cli(cli.world, { config, dataDir, socket, json: cli.out.json });
    this.#stage = stage;
    this.#narrator = narrator;
  }

  async play(): Promise<void> {
    await this.#begin();
    await this.#travel();
    await this.#diverge();
    await this.#sweep();
  }

  /** Stops the hub for good: one that is just being started too. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#starting;
    await this.#stopHub();
  }

  async #stopHub(): Promise<void> {
    const hub = this.#hub;
    this.#hub = null;
    if (hub === null) return;
    const { pid } = hub.hello;
    try {
      await hub.request('hub/shutdown', {});
    } catch (error) {
      // Gone already is as good as stopped; the wait below tells.
      if (!HubError.is(error, 'disconnected', 'shutting-down')) throw error;
    } finally {
      hub.close();
    }
    if (!(await waitForExit(pid, STOP_MS))) process.kill(pid, 'SIGKILL');
  }

  async #startHub(): Promise<HubClient> {
    if (this.#over) throw new Error('the demo is over');
    const start = this.#cli.launchHub(START_MS);
    this.#starting = start.then(
      (hub) => void (this.#hub = hub),
      // Reported to whoever awaits the start itself.
      () => undefined,
    );
    await this.#starting;
    return start;
  }

  async #begin(): Promise<void> {
    const { laptop, machines } = this.#stage;
    this.#narrator.chapter('Three machines, one memory');
    for (const { name, home } of machines)
      this.#narrator.tell('machine', `${name.padEnd(8)} home ${home}`, { name, home });
    await this.#say(laptop, this.#talk, 'user', 'How far is the moon?');
    await this.#say(laptop, this.#talk, 'assistant', 'About 384,400 km.');
    const started = performance.now();
    const hub = await this.#startHub();
    await this.#settle(hub);
    const ms = Math.round(performance.now() - started);
    this.#narrator.tell('first-sync', `a conversation begun on ${laptop.name}; the hub starts and syncs (${ms} ms)`, {
      ms,
    });
    await this.#claimEveryLineEverywhere('the conversation is on all three machines, each in its own project folder');
  }

  async #travel(): Promise<void> {
    const { laptop, machines } = this.#stage;
    this.#narrator.chapter('A line travels');
    const trips: number[] = [];
    for (let trip = 1; trip <= TRIPS; trip += 1) {
      await new Promise((resolve) => setTimeout(resolve, TYPING_MS));
      const line = this.#next(laptop, this.#talk, 'user', `Question ${trip}: and back?`);
      const started = performance.now();
      await laptop.append(this.#talk.session, line);
      const others = machines.filter((machine) => machine !== laptop);
      await Promise.all(others.map((machine) => this.#arrives(machine, line, started)));
      const ms = Math.round((performance.now() - started) * 10) / 10;
      trips.push(ms);
      this.#narrator.tell('line-travelled', `written on ${laptop.name}, readable on both others after ${ms} ms`, {
        ms,
      });
    }
    const median = [...trips].sort((one, other) => one - other)[Math.floor(trips.length / 2)] ?? 0;
    this.#narrator.claim(
      `a line takes ${median} ms (median of ${TRIPS})`,
      median < TRAVEL_LIMIT_MS,
      'that is over 10 s',
    );
  }

  async #diverge(): Promise<void> {
    const { desktop, mac } = this.#stage;
    this.#narrator.chapter('Two machines go on without each other');
    await this.#stopHub();
    this.#narrator.tell('hub-stopped', 'the hub is stopped');
    const branch = this.#talk.branch();
    await this.#say(desktop, this.#talk, 'user', 'Could we walk there?');
    await this.#say(desktop, this.#talk, 'assistant', 'In about nine years.');
    await this.#say(mac, branch, 'user', 'Could we fly there?');
    await this.#say(mac, branch, 'assistant', 'In about three days.');
    this.#narrator.tell('diverged', `${desktop.name} and ${mac.name} both continue the same conversation`);
    await this.#settle(await this.#startHub());
    this.#narrator.tell('merged', 'the hub is back and has merged both');
    await this.#claimEveryLineEverywhere('every line of both is on all three machines, once');
  }

  async #sweep(): Promise<void> {
    const { laptop, desktop, mac } = this.#stage;
    const { session } = this.#talk;
    const hub = this.#hub;
    if (hub === null) throw new Error('the hub was not started');
    this.#narrator.chapter("Claude's clean-up takes a conversation away");
    const before = await laptop.read(session);
    await mac.sweep(session);
    this.#narrator.tell('swept', `the conversation is deleted on ${mac.name}, as Claude Code does after 30 days`);
    await this.#until('the hub noticed', SWEEP_LIMIT_MS, NOTICE_POLL_MS, async () => {
      const { machines } = await hub.request('hub/status', {});
      return (machines.find(({ name }) => name === mac.name)?.unsettled?.evicted ?? 0) > 0;
    });
    const kept = await Promise.all([laptop.read(session), desktop.read(session)]);
    this.#narrator.claim(
      'nothing spreads: it is still complete on the other machines',
      before !== null && kept.every((bytes) => bytes?.equals(before) === true),
      'it changed there',
    );
    const shown = `claude-sync restore ${session} --machine ${mac.name}`;
    await hub.request('versions/restore', { key: session, machine: mac.name });
    await this.#until('it is back', SETTLE_MS, NOTICE_POLL_MS, async () => (await mac.read(session)) !== null);
    await this.#settle(hub);
    const back = await mac.read(session);
    this.#narrator.tell('restored', `one command brings it back: ${shown}`, { command: shown });
    this.#narrator.claim(
      'it is back on the mac, byte for byte',
      before !== null && back?.equals(before) === true,
      'it differs',
    );
  }

  async #say(machine: DemoMachine, talk: Conversation, role: 'user' | 'assistant', words: string): Promise<void> {
    await machine.append(talk.session, this.#next(machine, talk, role, words));
  }

  #next(machine: DemoMachine, talk: Conversation, role: 'user' | 'assistant', words: string): ConversationLine {
    const line = talk.say(role, words, machine.project, this.#cli.world.now());
    this.#written.set(line.uuid, line.text);
    return line;
  }

  async #settle(hub: HubClient): Promise<void> {
    const { settled, pending } = await hub.request('hub/wait', { timeoutMs: SETTLE_MS });
    if (!settled)
      throw new Error(`the machines did not settle within ${SETTLE_MS / 1000} s: ${JSON.stringify(pending)}`);
  }

  async #arrives(machine: DemoMachine, line: ConversationLine, started: number): Promise<void> {
    const left = TRAVEL_LIMIT_MS - (performance.now() - started);
    await this.#until(`the line is on ${machine.name}`, left, 1, async () => {
      return (await machine.read(this.#talk.session))?.includes(`${line.text}\n`) === true;
    });
  }

  async #claimEveryLineEverywhere(claim: string): Promise<void> {
    const missing: string[] = [];
    for (const machine of this.#stage.machines) {
      const lines = (await machine.read(this.#talk.session))?.toString('utf8').split('\n') ?? [];
      for (const [uuid, text] of this.#written) {
        const times = lines.filter((line) => line === text).length;
        if (times !== 1) missing.push(`${uuid} is ${times} times on ${machine.name}`);
      }
    }
    this.#narrator.claim(claim, missing.length === 0, missing.join(', '));
  }

  async #until(what: string, timeoutMs: number, pollMs: number, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await holds())) {
      if (performance.now() >= deadline) throw new Error(`waited ${Math.round(timeoutMs)} ms in vain until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
}
