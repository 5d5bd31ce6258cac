import { ActionRefused } from '../../src/hub/engine/user-actions.ts';
import { FileSystemError } from '../../src/hub/ports/file-system.ts';
import type { Happening } from './flavours.ts';
import type { SimulatedMachine } from './machine.ts';
import type { Request } from './memory-file-system.ts';
import { ClaudeCli } from './models/claude-cli.ts';
import { documentNames, Editor } from './models/editor.ts';
import type { Backup } from './models/mishaps.ts';
import { Mishaps } from './models/mishaps.ts';
import type { Ledger } from './oracle/ledger.ts';
import type { Prng } from './prng.ts';
import type { SimulatedHub } from './simulated-hub.ts';
import type { World } from './world.ts';

/**
 * Between two ambushes, virtual ms. Each makes the hub ask for more, which invites more of them: without a pause a busy world
 * would only grow busier.
 */
const AMBUSH_PAUSE_MS = 500;

/** The hub is at rest when it has said so for this long, virtual ms. */
const REST_MS = 5000;

interface Conversation {
  readonly session: string;
  project: string;
}

/** The programs and users of one machine. */
interface Household {
  readonly machine: SimulatedMachine;
  readonly editor: Editor;
  readonly mishaps: Mishaps;
  clis: ClaudeCli[];
  backup: Backup | null;
}

/** Makes things happen in a world: picks them by the weights of its flavour, and in the end brings everything to rest. */
export class Activity {
  readonly counts: Record<string, number> = {};
  /** Machines whose disk was full, in use or unreadable at some time. */
  readonly troubled = new Set<string>();
  readonly #world: World;
  readonly #hub: SimulatedHub;
  readonly #ledger: Ledger;
  readonly #prng: Prng;
  readonly #ambushPrng: Prng;
  readonly #projects: readonly string[];
  readonly #households: Household[];
  #conversations: Conversation[] = [];
  #phase: 'before-hub' | 'with-hub' | 'over' = 'over';
  #forgetting = new Set<string>();
  #noAmbushUntil = 0;

  constructor(options: { world: World; hub: SimulatedHub; ledger: Ledger; prng: Prng; projects: readonly string[] }) {
    this.#world = options.world;
    this.#hub = options.hub;
    this.#ledger = options.ledger;
    this.#prng = options.prng;
    this.#ambushPrng = options.prng.fork('ambush');
    this.#projects = options.projects;
    this.#households = options.world.machines.map((machine) => {
      const context = {
        scheduler: options.world.scheduler,
        prng: options.prng.fork(machine.name),
        ledger: options.ledger,
        machine,
      };
      return {
        machine,
        editor: new Editor(context, options.projects),
        mishaps: new Mishaps(context, options.projects),
        clis: [],
        backup: null,
      };
    });
  }

  /** Things happen from now on. */
  begin(phase: 'before-hub' | 'with-hub'): void {
    const running = this.#phase !== 'over';
    this.#phase = phase;
    if (!running) this.#next();
  }

  /** Nothing new happens; what has begun goes on. */
  end(): void {
    this.#phase = 'over';
  }

  /** Starts the hub, or starts it again. */
  startHub(): void {
    if (this.#hub.running) return;
    this.#world.scheduler.note('hub starts');
    this.#ledger.withinReach('hub');
    for (const { machine } of this.#households)
      if (machine.spec.kind === 'local') this.#ledger.withinReach(machine.name);
    this.#hub.start().catch((error: unknown) => this.#world.scheduler.fail(error));
  }

  /** Called around each request of the hub to a machine: a program may strike at just this moment. */
  ambush(name: string, request: Request, moment: 'before' | 'after'): void {
    try {
      this.#strike(name, request, moment);
    } catch (error) {
      if (!FileSystemError.is(error, 'denied', 'busy')) throw error;
    }
  }

  #strike(name: string, request: Request, moment: 'before' | 'after'): void {
    const { scheduler, flavour } = this.#world;
    if (this.#phase === 'over' || scheduler.now < this.#noAmbushUntil) return;
    if (!this.#ambushPrng.chance(flavour.ambush / 4)) return;
    if (!request.mutates && request.operation !== 'open-append' && request.operation !== 'lstat') return;
    const household = this.#households.find(({ machine }) => machine.name === name);
    const path = household?.machine.below(request.path);
    if (!household || path === undefined || path === null) return;
    const session = /([0-9a-f]{8}-[0-9a-f-]{27})\.jsonl$/.exec(path)?.[1];
    if (session !== undefined) {
      const conversation = this.#conversations.find((candidate) => candidate.session === session);
      const cli = household.clis.find((candidate) => candidate.session === session && candidate.running);
      this.#noAmbushUntil = scheduler.now + AMBUSH_PAUSE_MS;
      scheduler.note(`${name} strikes ${moment} ${request.operation}`);
      if (cli) return this.#ambushPrng.chance(0.7) ? cli.interject() : cli.turn();
      if (conversation) this.#resume(household, conversation)?.turn();
      return;
    }
    const document = documentNames(this.#projects).find((candidate) => candidate === path);
    if (document === undefined) return;
    this.#noAmbushUntil = scheduler.now + AMBUSH_PAUSE_MS;
    household.editor.edit(document);
  }

  /**
   * Ends all faults and programs, then waits until the hub has said for a while that it is done.
   * Resolves never when it does not come to rest: the caller sets the limit.
   */
  async comeToRest(): Promise<void> {
    const { scheduler } = this.#world;
    for (const { machine, clis } of this.#households) {
      machine.link.restore();
      machine.volume.busy = () => false;
      machine.volume.capacity = Number.MAX_SAFE_INTEGER;
      for (const { inode } of machine.volume.walk()) inode.sealed = false;
      for (const cli of clis) cli.exit();
    }
    this.startHub();
    // Keys that failed are tried again after a minute.
    await scheduler.sleep(this.troubled.size > 0 ? 65_000 : 1_000, 'rest: faults are over');
    await this.#atRest();
    for (const [machine] of this.#hub.quarantined()) {
      this.#ledger.copiesUnknown(null);
      await this.#hub.resume(machine, 'refill');
    }
    for (const session of this.#forgetting) await this.#hub.forget(session);
    await this.#hub.scanAll();
    await this.#atRest();
    if (!this.#hub.waitsForQuiet()) return;
    // A machine that cannot prove it counts its sessions as live for ten minutes. Afterwards nothing may be kept back.
    scheduler.suspend(11 * 60_000);
    await scheduler.sleep(6_000, 'rest: sessions are quiet');
    await this.#hub.scanAll();
    await this.#atRest();
  }

  /** Resolves when the hub has said for a while that it is done with all machines. */
  async #atRest(): Promise<void> {
    const { scheduler } = this.#world;
    for (let since = scheduler.now; scheduler.now - since < REST_MS;) {
      await scheduler.sleep(1000, 'rest: looking');
      if (!this.#hub.settled()) since = scheduler.now;
    }
  }

  #next(): void {
    const { scheduler, flavour } = this.#world;
    scheduler.after(this.#prng.gap(flavour.gapMs), 'something happens', () => {
      if (this.#phase === 'over') return;
      const what = this.#prng.weighted(flavour.weights);
      if (what !== null) this.#attempt(what);
      this.#next();
    });
  }

  /** A program that meets a folder it may not enter or a file in use gives up, as real ones do. */
  #attempt(what: Happening): void {
    try {
      this.#do(what);
    } catch (error) {
      if (!FileSystemError.is(error, 'denied', 'busy')) throw error;
      this.#world.scheduler.note(`gave up: ${error.message}`);
    }
  }

  #do(what: Happening): void {
    const { scheduler } = this.#world;
    const household = this.#prng.pick(this.#households);
    const { machine, editor, mishaps } = household;
    household.clis = household.clis.filter((cli) => cli.running);
    const cli = household.clis.length > 0 ? this.#prng.pick(household.clis) : null;
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    scheduler.note(`${machine.name}: ${what}`);
    if (this.#phase === 'before-hub' && HUB_HAPPENINGS.has(what)) return;
    switch (what) {
      case 'start':
        return this.#startConversation(household);
      case 'resume':
        if (this.#conversations.length > 0) this.#resume(household, this.#prng.pick(this.#conversations))?.turn();
        return;
      case 'turn':
        return cli ? cli.turn() : this.#startConversation(household);
      case 'exit':
        return cli?.exit();
      case 'kill':
        return cli?.kill();
      case 'withdraw':
        return cli?.withdraw();
      case 'compact':
        return cli?.compact();
      case 'sidecar':
        return cli?.sidecar();
      case 'move': {
        const conversation = this.#conversations.find(({ session }) => session === cli?.session);
        if (!cli || !conversation) return;
        cli.changeFolder(this.#prng.pick(this.#projects));
        conversation.project = cli.project;
        return;
      }
      case 'edit':
        return editor.edit(this.#prng.pick(documentNames(this.#projects)));
      case 'remove':
        return editor.remove(this.#prng.pick(documentNames(this.#projects)));
      case 'sweep':
        mishaps.sweep(this.#prng.pick([20_000, 40_000, 60_000]), new Set(household.clis.map(({ session }) => session)));
        return;
      case 'emptyDisk':
        for (const running of household.clis) running.kill();
        return mishaps.emptyDisk();
      case 'backup':
        household.backup = mishaps.backup();
        return;
      case 'restoreBackup':
        for (const running of household.clis) running.kill();
        if (household.backup) mishaps.restore(household.backup);
        return;
      case 'seal': {
        this.troubled.add(machine.name);
        const folder = this.#prng.pick([
          'projects',
          'agents',
          'skills',
          `projects/${machine.projectFolder('code/app')}`,
        ]);
        const ms = this.#prng.int(2000, 40_000);
        this.#ledger.unreadableFor(machine.name, ms);
        return mishaps.seal(folder, ms);
      }
      case 'secret':
        return mishaps.plantSecret();
      case 'symlink':
        return mishaps.plantSymlink();
      case 'unsafeName':
        return mishaps.plantUnsafeName();
      case 'deleteMany':
        return mishaps.deleteMany(10);
      case 'copyByHand': {
        const others = this.#households.filter((other) => other !== household);
        if (this.#conversations.length === 0 || others.length === 0) return;
        const { session, project } = this.#prng.pick(this.#conversations);
        if (mishaps.copyByHand(session, project, this.#prng.pick(others).machine))
          this.#ledger.copiesUnknown(`session/${session}`);
        return;
      }
      case 'forget':
        return this.#forget();
      case 'busy': {
        this.troubled.add(machine.name);
        const until = scheduler.now + this.#prng.int(500, 15_000);
        const part = this.#prng.pick(['CLAUDE.md', 'agents/', '.jsonl']);
        machine.volume.busy = (path) => scheduler.now < until && path.includes(part);
        return;
      }
      case 'diskFull':
        this.troubled.add(machine.name);
        machine.volume.capacity = machine.volume.used + this.#prng.int(0, 600);
        scheduler.after(this.#prng.int(2000, 20_000), `${machine.name} has room again`, () => {
          machine.volume.capacity = Number.MAX_SAFE_INTEGER;
        });
        return;
      case 'clockJump':
        machine.setClock(this.#prng.pick([-3_600_000, -5000, 5000, 3_600_000]));
        return;
      case 'cut':
        return this.#cut(machine, this.#prng.int(200, 20_000));
      case 'stall': {
        const ms = this.#prng.int(200, 8000);
        if (machine.spec.kind === 'remote') machine.link.stall(ms);
        return;
      }
      case 'crash':
        return this.#stopHub(() => this.#hub.crash('kill'));
      case 'powerLoss':
        return this.#stopHub(() => this.#powerLoss());
      case 'restartHub':
        return this.#restartHub();
    }
  }

  #startConversation(household: Household): void {
    const conversation = { session: this.#prng.uuid(), project: this.#prng.pick(this.#projects) };
    this.#conversations.push(conversation);
    const cli = new ClaudeCli(this.#programContext(household), conversation.session, conversation.project);
    household.clis.push(cli);
    cli.turn();
  }

  #resume(household: Household, { session, project }: Conversation): ClaudeCli | null {
    const running = household.clis.find((cli) => cli.session === session && cli.running);
    if (running) return running;
    const cli = ClaudeCli.resume(this.#programContext(household), session, project);
    if (cli) household.clis.push(cli);
    return cli;
  }

  #programContext({ machine }: Household): ConstructorParameters<typeof ClaudeCli>[0] {
    return {
      scheduler: this.#world.scheduler,
      prng: this.#prng.fork(`cli on ${machine.name}`),
      ledger: this.#ledger,
      machine,
    };
  }

  #cut(machine: SimulatedMachine, ms: number): void {
    if (machine.spec.kind === 'local') return;
    machine.link.cut();
    this.#ledger.outOfReach(machine.name);
    this.#world.scheduler.after(ms, `${machine.name} can be reached again`, () => machine.link.restore());
  }

  #stopHub(stop: () => void): void {
    if (!this.#hub.running) return;
    this.#ledger.outOfReach('hub');
    for (const { machine } of this.#households)
      if (machine.spec.kind === 'remote') this.#ledger.outOfReach(machine.name);
    stop();
    this.#world.scheduler.after(this.#prng.int(100, 12_000), 'the hub is started again', () => this.startHub());
  }

  #powerLoss(): void {
    this.#hub.crash('power-loss');
    this.#ledger.copiesUnknown(null);
    const onDisks = this.#world.machines.map((machine) =>
      machine
        .files()
        .map((path) => machine.content(path)?.toString('latin1') ?? '')
        .join('\n'),
    );
    this.#ledger.powerLost((line) => onDisks.some((text) => text.includes(line.text)));
  }

  #restartHub(): void {
    if (!this.#hub.running) return;
    this.#ledger.outOfReach('hub');
    this.#hub.stop().then(
      () => void this.#world.scheduler.after(500, 'the hub is started again', () => this.startHub()),
      (error: unknown) => this.#world.scheduler.fail(error),
    );
  }

  #forget(): void {
    const open = new Set(
      this.#households.flatMap(({ clis }) => clis.filter((cli) => cli.running).map((cli) => cli.session)),
    );
    const candidates = this.#conversations.filter(({ session }) => !open.has(session));
    if (!this.#hub.running || candidates.length === 0) return;
    const { session } = this.#prng.pick(candidates);
    this.#conversations = this.#conversations.filter((conversation) => conversation.session !== session);
    this.#ledger.forgottenSessions.add(session);
    // A hub that dies before it has answered is asked again at the end: until then the user has no promise.
    this.#forgetting.add(session);
    this.#hub.forget(session).then(
      () => this.#forgetting.delete(session),
      (error: unknown) => {
        if (!(error instanceof ActionRefused)) return this.#world.scheduler.fail(error);
        // The hub has not heard of it yet, and says so: nothing was promised.
        this.#forgetting.delete(session);
        this.#ledger.forgottenSessions.delete(session);
      },
    );
  }
}

/** Happenings that need a hub that runs. */
const HUB_HAPPENINGS: ReadonlySet<Happening> = new Set([
  'forget',
  'cut',
  'stall',
  'crash',
  'powerLoss',
  'restartHub',
  'emptyDisk',
  'sweep',
]);
