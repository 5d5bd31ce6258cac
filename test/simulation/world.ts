import type { MachineOs } from '../../src/core/domain.ts';
import { Activity } from './activity.ts';
import type { Flavour } from './flavours.ts';
import { FLAVOURS } from './flavours.ts';
import type { MachineSpec } from './machine.ts';
import { SimulatedMachine } from './machine.ts';
import { checkFinalState } from './oracle/final-checks.ts';
import { Ledger } from './oracle/ledger.ts';
import { Reader } from './oracle/reader.ts';
import type { Violation } from './oracle/violation.ts';
import { Prng } from './prng.ts';
import { Scheduler } from './scheduler.ts';
import type { SimulatedHub } from './simulated-hub.ts';
import { Volume } from './volume.ts';

/** Projects of every world, as paths below home. */
export const PROJECTS: readonly string[] = ['code/app', 'code/my.lib', 'work/site'];

/** How long programs run before the hub is started for the first time, virtual ms. */
const BEFORE_HUB_MS = 12_000;

/** The hub has to come to rest within this time after everything else has, virtual ms (docs/sync.md sections 6 and 8: 10 min of liveness, 15 min scans). */
const SETTLE_WITHIN_MS = 40 * 60_000;

/** Everything of one simulated world that the hub is built on. */
export interface World {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly flavour: Flavour;
  readonly machines: readonly SimulatedMachine[];
  /** The hub's own data disk. */
  readonly hubVolume: Volume;
}

/** How one seed ended. */
export interface SeedResult {
  readonly seed: number;
  readonly flavour: string;
  readonly violations: Violation[];
  /** An exception that nothing in the world expects. */
  readonly crash: Error | null;
  readonly traceHash: string;
  readonly trace: readonly string[];
  readonly events: number;
  readonly realMs: number;
  /** How often each thing happened. */
  readonly happenings: Readonly<Record<string, number>>;
}

/** Runs the world of `seed` with the hub that `createHub` makes. The same seed gives the same run. */
export async function runSeed(
  seed: number,
  createHub: (world: World) => SimulatedHub,
  flavourName?: string,
): Promise<SeedResult> {
  const started = performance.now();
  const flavour = FLAVOURS.find(({ name }) => name === flavourName) ?? flavourOf(seed);
  const prng = new Prng(`${seed} ${flavour.name}`);
  const scheduler = new Scheduler();
  const ledger = new Ledger(() => scheduler.now);
  const reader = new Reader(ledger, PROJECTS);
  // The activity is made after the machines, whose hooks need it.
  const late: { activity?: Activity } = {};
  const machines = machineSpecs(prng.fork('machines'), flavour).map(
    (spec) =>
      new SimulatedMachine(spec, scheduler, prng.fork(`link ${spec.name}`), {
        around: (request, moment) => late.activity?.ambush(spec.name, request, moment),
        onConnected: () => ledger.withinReach(spec.name),
      }),
  );
  for (const machine of machines) reader.follow(machine);
  const hubVolume = new Volume({ now: () => scheduler.now });
  const world: World = { scheduler, prng: prng.fork('hub'), flavour, machines, hubVolume };
  const hub = createHub(world);
  const activity = (late.activity = new Activity({
    world,
    hub,
    ledger,
    prng: prng.fork('activity'),
    projects: PROJECTS,
  }));

  const unexpected = (reason: unknown): void => scheduler.fail(reason);
  process.on('unhandledRejection', unexpected);
  let violations: Violation[] = [];
  let crash: Error | null = null;
  try {
    violations = await live(world, hub, activity, ledger);
  } catch (error) {
    crash = error instanceof Error ? error : new Error(String(error));
  } finally {
    process.off('unhandledRejection', unexpected);
  }
  return {
    seed,
    flavour: flavour.name,
    violations: [...reader.violations, ...violations],
    crash,
    traceHash: scheduler.traceHash,
    trace: scheduler.trace(),
    events: scheduler.events,
    realMs: performance.now() - started,
    happenings: activity.counts,
  };
}

/** The flavour of a seed. */
export function flavourOf(seed: number): Flavour {
  const flavour = FLAVOURS[seed % FLAVOURS.length];
  if (!flavour) throw new RangeError(`${seed} is no seed`);
  return flavour;
}

async function live(world: World, hub: SimulatedHub, activity: Activity, ledger: Ledger): Promise<Violation[]> {
  const { scheduler, machines, flavour } = world;
  activity.begin('before-hub');
  await scheduler.run(scheduler.now + BEFORE_HUB_MS);
  activity.startHub();
  activity.begin('with-hub');
  await scheduler.run(scheduler.now + flavour.durationMs);

  activity.end();
  await scheduler.run(scheduler.now + 5000);
  const deadline = scheduler.now + SETTLE_WITHIN_MS;
  const rest = activity.comeToRest();
  let rested = false;
  let failure: unknown;
  rest.then(
    () => (rested = true),
    (error: unknown) => (failure = error ?? 'no reason'),
  );
  await scheduler.run(deadline, () => rested || failure !== undefined);
  if (failure !== undefined) throw new Error('the world did not come to rest', { cause: failure });
  if (!rested) {
    return [
      {
        promise: 'never-settled',
        machine: null,
        what: 'hub',
        detail: `still busy ${SETTLE_WITHIN_MS / 60_000} min after everything else came to rest`,
      },
    ];
  }
  let contents: Awaited<ReturnType<SimulatedHub['contents']>> | undefined;
  hub.contents().then(
    (value) => (contents = value),
    (error: unknown) => scheduler.fail(error),
  );
  await scheduler.run(scheduler.now + 60_000, () => contents !== undefined);
  if (!contents) throw new Error('the contents of the hub could not be read');
  const { quarantined } = contents;
  ledger.closeDocuments((machine) => !quarantined.has(machine));
  const violations = checkFinalState({ ledger, machines, projects: PROJECTS, contents });
  let stopped = false;
  hub.stop().then(
    () => (stopped = true),
    (error: unknown) => scheduler.fail(error),
  );
  await scheduler.run(scheduler.now + 60_000, () => stopped);
  if (!stopped) throw new Error('the hub did not stop within a minute');
  return violations;
}

function machineSpecs(prng: Prng, flavour: Flavour): MachineSpec[] {
  const count = prng.int(...flavour.machines);
  const candidates: readonly (readonly [string, MachineOs, string])[] = [
    ['xps', 'linux', '/home/thh3'],
    ['rog', 'linux', '/home/rog'],
    ['mac', 'macos', '/Users/tomerhamam'],
    ['nelly', 'windows', 'C:/Users/nelly'],
  ];
  const [first, ...others] = candidates;
  const chosen = [first as (typeof candidates)[number]];
  while (chosen.length < count)
    chosen.push(others.splice(prng.int(0, others.length - 1), 1)[0] as (typeof candidates)[number]);
  return chosen.map(([name, os, home], index) => ({
    name,
    os,
    home,
    kind: index === 0 ? 'local' : 'remote',
    delayMs: flavour.delayMs,
    skewMs: index === 0 ? 0 : prng.pick([0, 0, 700, -1500, 90_000, -240_000]),
    watching: index > 0 && (os === 'windows' || prng.chance(0.2)) ? 'poll' : 'events',
    noHardLinks: os === 'windows' && prng.chance(0.3),
    coarseTimes: index > 0,
  }));
}
