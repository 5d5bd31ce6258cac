import { hostname } from 'node:os';
import { HubError } from '../protocol/errors.ts';
import type { RequestOf, ResultOf } from '../protocol/methods.ts';
import { loadConfig } from '../hub/config/load.ts';
import type { Cli } from './cli.ts';

/** Requests that a command can also carry out by itself. */
type MachineMethod = 'machines/probe' | 'machines/add' | 'machines/remove' | 'machines/test';

/** Whoever carries them out. */
export interface MachineDesk {
  /** Whether that is a running hub. */
  readonly hasHub: boolean;
  /** Names of all configured machines. @throws {ConfigError} */
  machines(): Promise<readonly string[]>;
  request<M extends MachineMethod>(method: M, params: RequestOf<M>): Promise<ResultOf<M>>;
}

/**
 * Runs `task` with the running hub, which has the agent, the keys and the heads that count; without one this process does the work, with
 * the same code and as the same user.
 */
export async function withMachineDesk<T>(cli: Cli, task: (desk: MachineDesk) => Promise<T>): Promise<T> {
  let hub;
  try {
    hub = await cli.connect();
  } catch (error) {
    if (!HubError.is(error, 'not-running')) throw error;
    return task(await ownDesk(cli));
  }
  try {
    return await task({
      hasHub: true,
      machines: async () => (await hub.request('machines/list', {})).machines.map(({ name }) => name),
      request: (method, params) => hub.request(method, params),
    });
  } finally {
    hub.close();
  }
}

/** Loads what a hub has loaded anyway, which the other commands do without. */
async function ownDesk({ places, world }: Cli): Promise<MachineDesk> {
  const { createMachineService } = await import('../hub/machine-service.ts');
  const { defaultConfigText } = await import('../hub/config/default-config.ts');
  const { systemClock, systemRandom } = await import('../hub/ports/system.ts');
  const { home, env } = world;
  const service = createMachineService({
    hub: () => null,
    target: { file: places.configFile, home, ifMissing: defaultConfigText({ hostName: hostname(), home, env }) },
    reload: () => Promise.resolve(),
    home,
    clock: systemClock,
    random: systemRandom,
  });
  const { signal } = new AbortController();
  return {
    hasHub: false,
    machines: async () => Object.keys((await loadConfig(places.configFile, home)).config.machines),
    request: (method, params) =>
      (service[method] as (params: unknown, context: object) => Promise<never>)(params, { signal }),
  };
}
