import type { AnyAuthMethod, AuthenticationType } from 'ssh2';
import { SignInFailure } from './failures.ts';
import type { Identities } from './identities.ts';

/**
 * Signing in to one server: which way is tried next, and what to say when none is left.
 *
 * The first try is `none`, as ssh does it: it costs no try, some servers let in by it alone (those of a VPN that knows the user),
 * and the refusal says which ways the server has.
 */
export class SignIn {
  readonly #user: string;
  readonly #identities: Identities;
  readonly #tried: string[] = [];
  #asked = false;
  #ways: readonly string[] | null = null;
  #partial = false;
  #said = '';

  constructor(user: string, identities: Identities) {
    this.#user = user;
    this.#identities = identities;
  }

  /** @returns `false` when nothing is left to try. */
  next(waysLeft: readonly AuthenticationType[] | null, partial: boolean | null): AnyAuthMethod | false {
    if (!this.#asked) {
      this.#asked = true;
      return { type: 'none', username: this.#user };
    }
    this.#ways = waysLeft ?? this.#ways;
    this.#partial ||= partial === true;
    if (this.#ways !== null && !this.#ways.includes('publickey')) return false;
    const identity = this.#identities.usable[this.#tried.length];
    if (identity === undefined) return false;
    this.#tried.push(identity.label);
    return identity.method;
  }

  /** A remark of the server or the agent that helps to understand a refusal, `serverText`. */
  hear(said: string): void {
    if (said !== '') this.#said = said;
  }

  /** @param server `user@host:port`. */
  failure(server: string): SignInFailure {
    const { locked, lockedByName, unusable, agent } = this.#identities;
    const ways = this.#ways;
    const said = [
      this.#said,
      ...(this.#partial ? [`a key was accepted, and more is asked for: ${ways?.join(', ')}`] : []),
      ...(ways === null || ways.includes('publickey') ? [] : [`it accepts no keys, only ${ways.join(', ')}`]),
    ].filter((each) => each !== '');
    const attempts = { server, tried: this.#tried, locked, unusable, agent, said: said.join('; ') };
    if (lockedByName !== null || (locked.length > 0 && this.#tried.length === 0)) {
      const first = lockedByName ?? locked[0] ?? '';
      return new SignInFailure('key-needs-passphrase', {
        ...attempts,
        locked: [first, ...locked.filter((file) => file !== first)],
      });
    }
    return new SignInFailure(this.#identities.usable.length === 0 ? 'no-key' : 'key-refused', attempts);
  }
}
