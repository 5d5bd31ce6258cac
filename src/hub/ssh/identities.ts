import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import ssh2, { BaseAgent, createAgent } from 'ssh2';
import type { AgentAuthMethod, IdentityCallback, ParsedKey, PublicKeyAuthMethod, SignCallback } from 'ssh2';
import { fingerprint } from './known-hosts.ts';
import type { IdentityFile, SshSettings } from './settings.ts';

// Node does not see this one among the names that ssh2 exports.
const { utils } = ssh2;

const KEYGEN_TIMEOUT_MS = 10_000;

/** One key that the server is asked about. */
export interface Identity {
  /** For the user: the file, or what the agent calls it. */
  readonly label: string;
  /** What ssh2 is to do. */
  readonly method: PublicKeyAuthMethod | AgentAuthMethod;
}

/** The keys of a user for one server. */
export interface Identities {
  /** In the order in which they are tried, each key once. */
  readonly usable: readonly Identity[];
  /** Key files that only their passphrase opens, and that the agent does not hold. */
  readonly locked: readonly string[];
  /** The first of `locked`, when somebody named it: then that is the key that was meant. */
  readonly lockedByName: string | null;
  /** Named files that cannot be used, with the reason. */
  readonly unusable: readonly string[];
  /** For example `the agent holds 2 keys` or `no agent`. */
  readonly agent: string;
}

/**
 * Finds the keys for a server. Named keys come first, then those of the agent, then the files that ssh tries by itself: servers end
 * after six tries (MaxAuthTries), so a full agent must not use them up before the key that was meant. A key that the agent holds is
 * used through the agent, also where its file has a passphrase. Keys on hardware tokens (`sk-`) are not known to ssh2 and left out.
 */
export async function findIdentities(settings: SshSettings): Promise<Identities> {
  const { user, identityFiles, identitiesOnly } = settings;
  const [agent, files] = await Promise.all([
    askAgent(settings.agent),
    Promise.all(identityFiles.map((file) => look(file))),
  ]);
  const usable = new Map<string, Identity>();
  const locked: string[] = [];
  const unusable: string[] = [];
  let lockedByName: string | null = null;

  const add = (print: string, identity: Identity): void => {
    if (!usable.has(print)) usable.set(print, identity);
  };
  const addFiles = (named: boolean): void => {
    for (const [index, { path }] of identityFiles.entries()) {
      const found = files[index];
      if (found === undefined || identityFiles[index]?.named !== named) continue;
      const held = found.print === null ? undefined : agent.keys.get(found.print);
      if (found.print !== null && held !== undefined && agent.agent !== null)
        add(found.print, throughAgent(user, agent.agent, held, `${path} (agent)`));
      else if (found.kind === 'open')
        add(found.print, { label: path, method: { type: 'publickey', username: user, key: found.key } });
      else if (found.kind === 'locked') {
        locked.push(path);
        if (named) lockedByName ??= path;
      } else if (found.why !== null && named) unusable.push(`${path}: ${found.why}`);
    }
  };

  addFiles(true);
  if (!identitiesOnly && agent.agent !== null)
    for (const [print, key] of agent.keys) add(print, throughAgent(user, agent.agent, key, `agent: ${nameOf(key)}`));
  addFiles(false);
  return { usable: [...usable.values()], locked, lockedByName, unusable, agent: agent.said };
}

/** What is in an identity file. `print`: the fingerprint of its public key. */
type Found =
  | { readonly kind: 'open'; readonly print: string; readonly key: ParsedKey }
  | { readonly kind: 'locked'; readonly print: string | null }
  /** Nothing to sign with. `why` is `null` when there simply is no such file. */
  | { readonly kind: 'none'; readonly print: string | null; readonly why: string | null };

async function look({ path }: IdentityFile): Promise<Found> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The agent may hold the key whose public half alone is here.
    const print = await printOfPublic(`${path}.pub`);
    return { kind: 'none', print, why: code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})` };
  }
  const parsed = utils.parseKey(bytes);
  const key: ParsedKey | Error | undefined = Array.isArray(parsed) ? (parsed as ParsedKey[])[0] : parsed;
  if (key === undefined) return { kind: 'none', print: null, why: 'there is no key in it' };
  if (!(key instanceof Error)) {
    const print = fingerprint(key.getPublicSSH());
    if (key.isPrivateKey()) return { kind: 'open', print, key };
    return { kind: 'none', print, why: 'a public key, and no agent holds its private half' };
  }
  if (/encrypted/i.test(key.message)) return { kind: 'locked', print: await printOfLocked(path) };
  return { kind: 'none', print: await printOfPublic(`${path}.pub`), why: key.message };
}

/** The public half of a key is not locked with it, and ssh-keygen knows where to find it. `null` when it does not. */
async function printOfLocked(path: string): Promise<string | null> {
  const asked = await execa('ssh-keygen', ['-l', '-E', 'sha256', '-f', path], {
    stdin: 'ignore',
    timeout: KEYGEN_TIMEOUT_MS,
    reject: false,
  });
  return asked.exitCode === 0 ? (/\bSHA256:\S+/.exec(asked.stdout)?.[0] ?? null) : null;
}

async function printOfPublic(path: string): Promise<string | null> {
  let key: ParsedKey | Error;
  try {
    key = utils.parseKey(await readFile(path));
  } catch (error) {
    // One more place to look, no more: without it there is no key to name.
    if (error instanceof Error) return null;
    throw error;
  }
  return key instanceof Error ? null : fingerprint(key.getPublicSSH());
}

interface AskedAgent {
  readonly agent: BaseAgent | null;
  readonly keys: ReadonlyMap<string, ParsedKey>;
  readonly said: string;
}

async function askAgent(place: string | null): Promise<AskedAgent> {
  if (place === null) return { agent: null, keys: new Map(), said: 'no agent' };
  const agent = createAgent(place);
  return new Promise((resolve) => {
    agent.getIdentities((error, listed) => {
      const keys = new Map<string, ParsedKey>();
      for (const each of listed ?? []) {
        const key = utils.parseKey(each as ParsedKey);
        if (!(key instanceof Error)) keys.set(fingerprint(key.getPublicSSH()), key);
      }
      if (error) resolve({ agent: null, keys, said: `the agent at ${place} does not answer` });
      else resolve({ agent, keys, said: `the agent holds ${keys.size === 1 ? '1 key' : `${keys.size} keys`}` });
    });
  });
}

function throughAgent(username: string, agent: BaseAgent, key: ParsedKey, label: string): Identity {
  return { label, method: { type: 'agent', username, agent: new OneKey(agent, key) } };
}

function nameOf(key: ParsedKey): string {
  return key.comment === '' ? `${key.type} ${fingerprint(key.getPublicSSH())}` : key.comment;
}

/** An agent that holds one key of another one, so that the order of tries is ours. */
class OneKey extends BaseAgent<ParsedKey> {
  readonly #agent: BaseAgent;
  readonly #key: ParsedKey;

  constructor(agent: BaseAgent, key: ParsedKey) {
    super();
    this.#agent = agent;
    this.#key = key;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(undefined, [this.#key]);
  }

  override sign(key: ParsedKey, data: Buffer, options: unknown, callback?: unknown): void {
    // ssh2 leaves out the options where there are none; the agent behind knows both forms.
    this.#agent.sign(key, data, options as never, callback as SignCallback);
  }
}
