import type { Guards } from '../../../src/hub/engine/guards.ts';
import { bootEngine } from '../engine-under-test.ts';
import type { Flavour } from '../flavours.ts';
import { createHubUnderTest } from '../hub-under-test.ts';
import type { MachineSpec } from '../machine.ts';
import { SimulatedMachine } from '../machine.ts';
import type { Request } from '../memory-file-system.ts';
import { ClaudeCli } from '../models/claude-cli.ts';
import { titleRecord } from '../models/records.ts';
import { checkFinalState } from '../oracle/final-checks.ts';
import { Ledger } from '../oracle/ledger.ts';
import { Reader } from '../oracle/reader.ts';
import { describeViolation } from '../oracle/violation.ts';
import { Prng } from '../prng.ts';
import { Scheduler } from '../scheduler.ts';
import type { HubContents, SimulatedHub } from '../simulated-hub.ts';
import { Volume, type Inode } from '../volume.ts';
import { PROJECTS } from '../world.ts';

/** How long a directed scene may take to come to rest, virtual ms. */
const REST_WITHIN_MS = 30 * 60_000;

/** Says whether a request is the one that a scene waits for. */
type Wanted = (request: Request) => boolean;

/**
 * A small world in which a test says what happens when: two machines, a real hub, no chance. `xps` is the hub's own machine,
 * `rog` is reached over a link.
 */
export class Stage {
  readonly scheduler = new Scheduler();
  readonly ledger = new Ledger(() => this.scheduler.now);
  readonly hubVolume = new Volume({ now: () => this.scheduler.now });
  readonly xps: SimulatedMachine;
  readonly rog: SimulatedMachine;
  readonly hub: SimulatedHub;
  /** Promises that a scene saw broken; those of the oracle come on top. */
  readonly broken: string[] = [];
  /** Requests of the hub to machines so far, as `<machine> <operation> <path>`. */
  readonly requests: string[] = [];
  readonly #reader = new Reader(this.ledger, PROJECTS);
  readonly #prng: Prng;
  #ambush: {
    readonly machine: string;
    readonly wanted: Wanted;
    readonly moment: string;
    readonly act: () => void;
  } | null = null;

  constructor(guards: Guards, options: { readonly losesPower?: boolean; readonly seed?: number } = {}) {
    const prng = (this.#prng = new Prng(`stage ${options.seed ?? 0}`));
    const machine = (spec: Pick<MachineSpec, 'name' | 'home' | 'kind'>): SimulatedMachine =>
      new SimulatedMachine(
        {
          os: 'linux',
          delayMs: 4,
          skewMs: 0,
          watching: 'events',
          noHardLinks: false,
          coarseTimes: false,
          ...spec,
        },
        this.scheduler,
        prng.fork(spec.name),
        {
          around: (request, moment) => this.#around(spec.name, request, moment),
          onConnected: () => this.ledger.withinReach(spec.name),
        },
      );
    this.xps = machine({ name: 'xps', home: '/home/thh3', kind: 'local' });
    this.rog = machine({ name: 'rog', home: '/home/rog', kind: 'remote' });
    for (const each of this.machines) this.#reader.follow(each);
    const flavour: Flavour = {
      name: 'directed',
      weights: options.losesPower === true ? { powerLoss: 1 } : {},
      gapMs: 0,
      durationMs: 0,
      ambush: 0,
      machines: [2, 2],
      delayMs: 4,
    };
    this.hub = createHubUnderTest(
      {
        scheduler: this.scheduler,
        prng: prng.fork('hub'),
        flavour,
        machines: this.machines,
        hubVolume: this.hubVolume,
      },
      guards,
      bootEngine,
    );
  }

  get machines(): readonly SimulatedMachine[] {
    return [this.xps, this.rog];
  }

  /** Lets virtual time pass. */
  pass(ms: number): Promise<void> {
    return this.scheduler.run(this.scheduler.now + ms);
  }

  /** Lets virtual time pass until `holds`, at most `withinMs`. @throws when it never does. */
  async until(holds: () => boolean, withinMs = 120_000): Promise<void> {
    await this.scheduler.run(this.scheduler.now + withinMs, holds);
    if (!holds()) throw new Error(`this did not come true within ${withinMs} ms: ${holds.toString()}`);
  }

  /** Lets virtual time pass until a promise of the hub is settled. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let settled: { readonly value: T } | null = null;
    let failure: Error | null = null;
    promise.then(
      (value) => (settled = { value }),
      (error: unknown) => (failure = error instanceof Error ? error : new Error(String(error))),
    );
    await this.until(() => settled !== null || failure !== null, REST_WITHIN_MS);
    if (failure !== null) throw failure as Error;
    return (settled as unknown as { readonly value: T }).value;
  }

  /** Starts the hub and lets it do the first sync. */
  async start(): Promise<void> {
    this.ledger.withinReach('hub');
    this.ledger.withinReach('xps');
    await this.wait(this.hub.start());
    await this.rest();
  }

  /** The hub process dies and is started again `ms` later. */
  async crash(how: 'kill' | 'power-loss', ms = 1000): Promise<void> {
    this.ledger.outOfReach('hub');
    this.hub.crash(how);
    await this.pass(ms);
    await this.start();
  }

  /** Lets virtual time pass until the hub has said for five seconds that it is done. */
  async rest(): Promise<void> {
    const deadline = this.scheduler.now + REST_WITHIN_MS;
    for (let quiet = 0; quiet < 5;) {
      await this.pass(1000);
      quiet = this.hub.settled() ? quiet + 1 : 0;
      if (this.scheduler.now > deadline) throw new Error('the hub did not come to rest');
    }
  }

  /** A new conversation in `code/app`, with one turn. */
  converse(machine: SimulatedMachine): ClaudeCli {
    const cli = new ClaudeCli(this.#programs(machine), this.#prng.uuid(), 'code/app');
    cli.turn();
    return cli;
  }

  /** Resumes a conversation elsewhere. */
  resume(machine: SimulatedMachine, session: string): ClaudeCli {
    const cli = ClaudeCli.resume(this.#programs(machine), session, 'code/app');
    if (!cli) throw new Error(`${machine.name} has no session ${session}`);
    return cli;
  }

  /** A program that is not known to run gives a session a title, in a file that need not have its name any more. @returns the line. */
  title(machine: SimulatedMachine, session: string, file: Inode | null | undefined, text: string): string {
    if (!file) throw new Error(`${machine.name} has no file of ${session}`);
    const line = titleRecord(text, session);
    machine.volume.append(file, Buffer.from(`${line}\n`));
    this.ledger.lineWritten(machine.name, `session/${session}`, line);
    return line;
  }

  /** The user of `machine` gives a document this content. */
  write(machine: SimulatedMachine, document: string, text: string): void {
    machine.write(document, Buffer.from(text));
    this.ledger.documentWritten(machine.name, document, Buffer.from(text));
  }

  /** The user of `machine` removes a document. */
  remove(machine: SimulatedMachine, document: string): void {
    machine.volume.unlink(machine.at(document));
    this.ledger.documentRemoved(machine.name, document);
  }

  /** Content of a file below claudeDir, `null` when there is none. */
  text(machine: SimulatedMachine, path: string): string | null {
    return machine.content(path)?.toString('latin1') ?? null;
  }

  /** Path of a session's transcript on `machine`. */
  transcript(machine: SimulatedMachine, session: string): string {
    return `projects/${machine.projectFolder('code/app')}/${session}.jsonl`;
  }

  /** Something strikes once, just before or after the disk does the first request that is `wanted`. */
  strike(machine: SimulatedMachine, moment: 'before' | 'after', wanted: Wanted, act: () => void): void {
    this.#ambush = { machine: machine.name, moment, wanted, act };
  }

  /** Whether what `strike` waits for has not happened yet. */
  get waiting(): boolean {
    return this.#ambush !== null;
  }

  /** Notes a broken promise unless `holds`. */
  expect(holds: boolean, promise: string): void {
    if (!holds) this.broken.push(promise);
  }

  /** Everything the hub holds. */
  contents(): Promise<HubContents> {
    return this.wait(this.hub.contents());
  }

  /** Scans, rests, and asks the oracle. @returns every broken promise. */
  async judge(): Promise<string[]> {
    await this.wait(this.hub.scanAll());
    await this.rest();
    const contents = await this.contents();
    this.ledger.closeDocuments((machine) => !contents.quarantined.has(machine));
    const violations = checkFinalState({
      ledger: this.ledger,
      machines: this.machines,
      projects: PROJECTS,
      contents,
    });
    await this.wait(this.hub.stop());
    return [...this.broken, ...[...this.#reader.violations, ...violations].map(describeViolation)];
  }

  #programs(machine: SimulatedMachine): ConstructorParameters<typeof ClaudeCli>[0] {
    return { scheduler: this.scheduler, prng: this.#prng.fork('cli'), ledger: this.ledger, machine };
  }

  #around(machine: string, request: Request, moment: 'before' | 'after'): void {
    if (moment === 'before') this.requests.push(`${machine} ${request.operation} ${request.path}`);
    const ambush = this.#ambush;
    if (ambush?.machine !== machine || ambush.moment !== moment || !ambush.wanted(request)) return;
    this.#ambush = null;
    ambush.act();
  }
}

/** Plays one scene. @returns every promise that was broken in it, an unexpected error among them. */
export async function play(
  guards: Guards,
  scene: (stage: Stage) => Promise<void>,
  options?: ConstructorParameters<typeof Stage>[1],
): Promise<string[]> {
  const stage = new Stage(guards, options);
  const unexpected = (reason: unknown): void => stage.scheduler.fail(reason);
  process.on('unhandledRejection', unexpected);
  try {
    await scene(stage);
    return await stage.judge();
  } catch (error) {
    return [...stage.broken, `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
  } finally {
    process.off('unhandledRejection', unexpected);
  }
}
