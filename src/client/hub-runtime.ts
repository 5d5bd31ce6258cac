import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HubError } from '../protocol/errors.ts';

/** Oldest Node that the hub runs on; `src/cli/main.ts` refuses what is older. */
const OLDEST = [22, 22] as const;

/** A Node that answers nothing within this time is not used, ms. */
const ANSWER_MS = 10_000;

/** What a hub is run with. */
export interface HubRuntime {
  readonly command: string;
  /** Its environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As `process.versions.node` would say. */
  readonly version: string;
}

/** The program that this code runs in. */
export interface Host {
  readonly execPath: string;
  /** Version of its Node. */
  readonly node: string;
  /** Whether it is Electron, which is a Node only when it is told so. */
  readonly isElectron: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of a Node that the user named; then it is that one or none. */
  readonly named?: string;
}

/** No Node on this computer is new enough. */
export class NoRuntime extends HubError {
  constructor(found: readonly string[]) {
    const least = OLDEST.join('.');
    super('refused', `the hub needs Node ${least} or newer; found: ${found.join(', ')}`, {
      unchanged: 'Nothing was started.',
      next: `Install a newer Node (https://nodejs.org), so that "node" is found in the PATH.`,
    });
    this.name = 'NoRuntime';
  }
}

/**
 * The Node that a hub is started with: the user's own (`node` in the PATH), because it stays when the editor is updated or removed; else the
 * editor's. One that the user named goes before both.
 * @throws {NoRuntime} when neither is new enough.
 */
export async function hubRuntime(host: Host): Promise<HubRuntime> {
  const env = withoutEditor(host.env);
  const found: string[] = [];
  if (host.named !== undefined) {
    const version = await versionOf(host.named, env);
    if (version !== null && isNewEnough(version)) return { command: host.named, env, version };
    throw new NoRuntime([`${host.named} (${version ?? 'does not run as a Node'})`]);
  }
  const own = await versionOf('node', env);
  if (own !== null) {
    if (isNewEnough(own)) return { command: 'node', env, version: own };
    found.push(`node ${own}`);
  }
  if (isNewEnough(host.node)) {
    const asNode = host.isElectron ? { ELECTRON_RUN_AS_NODE: '1' } : {};
    return { command: host.execPath, env: { ...env, ...asNode }, version: host.node };
  }
  found.push(`the editor's ${host.node}`);
  throw new NoRuntime(found);
}

/** Variables that tell programs that they belong to the editor, or make its Node another program. */
function withoutEditor(env: Host['env']): Host['env'] {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => name !== 'NODE_OPTIONS' && !/^(VSCODE|ELECTRON)_/.test(name)),
  );
}

/** `null` where there is none, or none that answers. */
async function versionOf(command: string, env: Host['env']): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(command, ['--version'], {
      env,
      timeout: ANSWER_MS,
      windowsHide: true,
    });
    return /^v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null;
  } catch (error) {
    // Not there, not executable, killed: all the same here.
    if (error instanceof Error) return null;
    throw error;
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
