import { createRules } from '../core/rules/classify.ts';
import { HubError } from '../protocol/errors.ts';
import type { MachinesProbeParams, MachinesProbeResult } from '../protocol/probe.ts';
import type { HubService } from '../protocol/service.ts';
import { ConfigError } from './config/config-error.ts';
import {
  addMachine,
  ConfigBusy,
  MachineExists,
  removeMachine,
  UnknownMachine,
  type EditTarget,
} from './config/edit.ts';
import { expandHome } from './config/expand-home.ts';
import { parseConfig } from './config/parse.ts';
import { readConfigText } from './config/load.ts';
import type { Config, SshMachineConfig } from './config/schema.ts';
import type { Hub } from './hub.ts';
import type { Clock, Random } from './ports/clock.ts';
import { FileSystemError } from './ports/file-system.ts';
import { SettingsRefused } from './probe/clean-up-age.ts';
import { previewFirstSync } from './probe/first-sync.ts';
import { withSession } from './probe/open-for-user.ts';
import { probeMachine } from './probe/probe-machine.ts';
import { prepareLocal, prepareRemote, UNPREPARED } from './probe/prepare.ts';
import { entryOf, sshEntryOf } from './probe/target.ts';
import { testFolder, testMachine } from './probe/test-machine.ts';
import { HostKeyFailure, showFingerprint } from './ssh/failures.ts';
import { knownAliases } from './ssh/known-aliases.ts';

/** What the methods below work with. */
export interface MachineServiceOptions {
  /** The running hub; `null` where the command line does the work itself. */
  readonly hub: () => Hub | null;
  readonly target: EditTarget;
  /** Puts the edited configuration into force. */
  readonly reload: () => Promise<unknown>;
  /** Home of the hub's user. */
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
}

type MachineMethods = Pick<
  HubService,
  'machines/hosts' | 'machines/probe' | 'machines/add' | 'machines/remove' | 'machines/test'
>;

/** Looking at machines, adding, removing and testing them. Works without a running hub, too; then there is no dry run. */
export function createMachineService(options: MachineServiceOptions): MachineMethods {
  const { hub, target, home, clock, random } = options;
  const inForce = async (): Promise<boolean> => {
    if (hub() === null) return false;
    await options.reload();
    return true;
  };
  // One after the other: two clients that add at once must not find each other's lock on the file.
  let turn: Promise<unknown> = Promise.resolve();
  const edited = (work: () => Promise<unknown>): Promise<void> => {
    const done = turn.then(() => orRefusal(work));
    turn = done.catch(() => undefined);
    return done;
  };
  return {
    'machines/hosts': async () => {
      const [aliases, { config }] = await Promise.all([knownAliases({ home }), configNow(options)]);
      const byHost = new Map(
        Object.entries(config.machines).flatMap(([name, entry]) =>
          entry.transport === 'ssh' ? [[entry.host, name] as const] : [],
        ),
      );
      return { hosts: aliases.map((known) => ({ ...known, machine: byHost.get(known.alias) ?? null })) };
    },
    'machines/probe': (params) => probe(options, params),
    'machines/add': async (params) => {
      const { machine, cleanUpDays, createClaudeDir } = params;
      const { written, full } = entryOf(machine, params.entry);
      const { config } = await configNow(options);
      if (Object.hasOwn(config.machines, machine)) throw refusal(new MachineExists(machine));
      const prepare = { createClaudeDir, cleanUpDays, random };
      const prepared =
        full.transport === 'ssh'
          ? createClaudeDir || cleanUpDays !== null
            ? await orHubError(() =>
                withSession({ config: full, home, clock, random }, (session) => prepareRemote(session, prepare)),
              )
            : UNPREPARED
          : await orHubError(() => prepareLocal(expandHome(full.claudeDir, home), prepare));
      await edited(() => addMachine(target, machine, written));
      return { machine, config: target.file, ...prepared, inForce: await inForce() };
    },
    'machines/remove': async ({ machine }) => {
      await edited(() => removeMachine(target, machine));
      return { machine, config: target.file, inForce: await inForce() };
    },
    'machines/test': async ({ machine }) => {
      const { config } = await configNow(options);
      const entry = config.machines[machine];
      if (entry === undefined) throw refusal(new UnknownMachine(machine, Object.keys(config.machines)));
      const steps =
        entry.transport === 'ssh'
          ? await testMachine({ config: entry, home, clock, random })
          : await testFolder(expandHome(entry.claudeDir, home), random);
      return { machine, passed: steps.every(({ outcome }) => outcome !== 'failed'), steps };
    },
  };
}

async function probe(options: MachineServiceOptions, params: MachinesProbeParams): Promise<MachinesProbeResult> {
  const { hub, home, clock, random } = options;
  const { machine, acceptHostKeys } = params;
  const entry: SshMachineConfig = sshEntryOf(machine, params.target);
  const { config } = await configNow(options);
  if (Object.hasOwn(config.machines, machine)) throw refusal(new MachineExists(machine));
  const running = hub();
  const rules = running?.rules ?? createRules({ include: config.sync.include, exclude: config.sync.exclude });
  try {
    return await withSession({ config: entry, home, clock, random, acceptHostKeys }, async (session) => {
      const probed = await probeMachine(session, entry, { rules, clock });
      const dryRun = running === null ? null : await previewFirstSync(running, machine, probed, clock);
      return { kind: 'probed', report: probed.report, dryRun };
    });
  } catch (error) {
    if (!(error instanceof HostKeyFailure)) throw error;
    const { server, type, fingerprint, files } = error.offered;
    const [file] = files;
    if (file === undefined)
      throw new HubError('refused', error.reason, { unchanged: error.unchanged, next: error.next, cause: error });
    return {
      kind: 'host-key',
      question: { server, type, fingerprint, file, compareWith: showFingerprint(type) },
    };
  }
}

/** The configuration as it would be edited: that of the file, also where a running hub cannot use it. */
async function configNow({ target }: MachineServiceOptions): Promise<{ config: Config }> {
  let text: string;
  try {
    text = await readConfigText(target.file);
  } catch (error) {
    if (!ConfigError.is(error, 'missing')) throw configError(error);
    text = target.ifMissing;
  }
  try {
    return { config: parseConfig(text, target.file, target.home) };
  } catch (error) {
    throw configError(error);
  }
}

/** What is wrong there, as it travels. */
async function orHubError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const unchanged = 'The configuration was not changed.';
    if (error instanceof HostKeyFailure)
      throw new HubError('refused', error.reason, { unchanged, next: error.next, cause: error });
    if (error instanceof SettingsRefused)
      throw new HubError('refused', error.message, { unchanged, next: error.next, cause: error });
    if (FileSystemError.is(error))
      throw new HubError('io', error.message, {
        unchanged,
        next: 'claude-sync machines add without --raise-clean-up and --yes adds it all the same.',
        cause: error,
      });
    throw error;
  }
}

async function orRefusal(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): unknown {
  if (error instanceof UnknownMachine) return new HubError('not-found', error.message, { cause: error });
  if (error instanceof MachineExists || error instanceof ConfigBusy)
    return new HubError('refused', error.message, { cause: error });
  return configError(error);
}

function configError(error: unknown): unknown {
  if (!ConfigError.is(error)) return error;
  return new HubError('config', error.message, { unchanged: 'Nothing was changed.', cause: error });
}
