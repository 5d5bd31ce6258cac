import { stripVTControlCharacters } from 'node:util';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { z } from 'zod';
import type { UnixMs } from '../../core/domain.ts';
import { jsonOrNull } from '../json-or-null.ts';
import type { Clock } from '../ports/clock.ts';
import { GithubFailure } from './github-failure.ts';
import { parseHttpAnswer, type HttpAnswer } from './http-answer.ts';

/** Oldest `gh` whose `api` does what is asked of it here. */
const OLDEST = { major: 2, minor: 20 };
/** gh has no timeout of its own, and GitHub ends a query after ten seconds. */
const TIMEOUT_MS = 30_000;
const VERSION_TIMEOUT_MS = 10_000;
/** More is no list of pull requests any more. */
const MOST_ANSWER_BYTES = 16 * 1024 * 1024;
/** A process that was ended may take so long to be gone. */
const LAST_WORDS_MS = 1_000;
/** gh's exit code when there is no token. */
const NO_TOKEN = 4;
/** Where GitHub says nothing about how long, its documentation does: a minute at least. */
const SECONDARY_MS = 60_000;
const LONGEST_MS = 2 * 3_600_000;

/** One thing that GitHub did not answer in a query. */
export interface GraphqlError {
  readonly type: string | null;
  readonly message: string;
  readonly path: readonly (string | number)[];
}

/** GitHub's answer to a query. */
export interface GraphqlAnswer {
  /** Not checked; parts that `errors` name are `null`. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly errors: readonly GraphqlError[];
}

const ANSWER = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  message: z.string().optional(),
  errors: z
    .array(
      z.object({
        type: z.string().nullish().catch(null),
        message: z.string().catch('no reason given'),
        path: z
          .array(z.union([z.string(), z.number()]))
          .nullish()
          .catch(null),
      }),
    )
    .optional()
    .catch(undefined),
});

/** How `gh` is run. */
export interface GhOptions {
  readonly clock: Clock;
  /** Default: of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default: `gh` of the PATH. */
  readonly program?: string;
  /** Longest time for one question, ms. */
  readonly timeoutMs?: number;
}

/** GitHub, asked through the GitHub CLI with the user's own login; no token is ever seen here. */
export class Gh {
  readonly #options: GhOptions;
  #isNewEnough = false;

  constructor(options: GhOptions) {
    this.#options = options;
  }

  /**
   * Asks GitHub.
   * @throws {GithubFailure} when there is no answer that holds any data.
   */
  async graphql(
    query: string,
    variables: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<GraphqlAnswer> {
    await this.#assertVersion(signal);
    const ran = await this.#run(['api', 'graphql', '-i', '--input', '-'], {
      input: JSON.stringify({ query, variables }),
      timeoutMs: this.#options.timeoutMs ?? TIMEOUT_MS,
      signal,
    });
    const answer = parseHttpAnswer(ran.stdout);
    // gh ends with 1 for everything that GitHub is not content with; what it printed says more.
    if (answer === null) throw this.#silent(ran);
    return this.#judged(answer);
  }

  async #assertVersion(signal: AbortSignal | undefined): Promise<void> {
    if (this.#isNewEnough) return;
    const { stdout } = await this.#run(['--version'], { timeoutMs: VERSION_TIMEOUT_MS, signal });
    const [, major = '0', minor = '0', patch = '0'] =
      /\bgh version v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(stdout) ?? [];
    const isOld = Number(major) < OLDEST.major || (Number(major) === OLDEST.major && Number(minor) < OLDEST.minor);
    if (isOld)
      throw new GithubFailure(
        'gh-too-old',
        `the GitHub CLI here is ${major}.${minor}.${patch}, and ${OLDEST.major}.${OLDEST.minor} is the oldest that will do`,
      );
    this.#isNewEnough = true;
  }

  async #run(
    words: readonly string[],
    options: { readonly input?: string; readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Ran> {
    const { input = '', timeoutMs, signal } = options;
    const running = execa(this.#options.program ?? 'gh', words, {
      input,
      env: {
        ...(this.#options.env ?? process.env),
        // It asks nobody, colours nothing and does not look for a newer one.
        GH_PROMPT_DISABLED: '1',
        GH_NO_UPDATE_NOTIFIER: '1',
        NO_COLOR: '1',
        CLICOLOR_FORCE: '0',
        GH_FORCE_TTY: '',
        GH_PAGER: 'cat',
      },
      extendEnv: false,
      reject: false,
      timeout: timeoutMs,
      maxBuffer: MOST_ANSWER_BYTES,
      stripFinalNewline: false,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    const ran = await settledSoon(running, [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
    if (ran.isCanceled) throw new GithubFailure('aborted', 'GitHub was not asked to the end, because the hub stops');
    if (ran.isMaxBuffer)
      throw new GithubFailure('too-large', `GitHub's answer is larger than ${MOST_ANSWER_BYTES / 1024 / 1024} MB`);
    if (ran.timedOut) throw new GithubFailure('unreachable', `GitHub did not answer within ${timeoutMs / 1_000} s`);
    if (ran.code === 'ENOENT') throw new GithubFailure('gh-missing', 'the GitHub CLI (gh) is not installed here');
    if (ran.exitCode === undefined && ran.signal === undefined)
      throw new GithubFailure('failed', `the GitHub CLI could not be run (${ran.code ?? 'no reason given'})`);
    return { code: ran.exitCode ?? null, stdout: ran.stdout, stderr: ran.stderr };
  }

  /** gh says nothing of HTTP when there was none. */
  #silent({ code, stderr }: Ran): GithubFailure {
    const said = lastLine(stderr);
    if (code === NO_TOKEN || /gh auth login|authentication token/i.test(stderr))
      return new GithubFailure('not-logged-in', 'the GitHub CLI is not logged in here');
    if (/\b(dial|lookup|connect|connection|no such host|EOF|timeout|TLS|network)\b|error connecting/i.test(stderr))
      return new GithubFailure('unreachable', `GitHub cannot be reached (${said})`);
    if (code === 0) return new GithubFailure('bad-answer', 'the GitHub CLI printed nothing that is an answer');
    return new GithubFailure('failed', `the GitHub CLI failed (${said === '' ? `code ${code}` : said})`);
  }

  #judged(answer: HttpAnswer): GraphqlAnswer {
    const parsed = ANSWER.safeParse(jsonOrNull(answer.body));
    const { data, message, errors: raw = [] } = parsed.data ?? {};
    const errors = raw.map((error) => ({
      type: error.type ?? null,
      message: oneLine(error.message),
      path: error.path ?? [],
    }));
    const said = oneLine(message ?? errors[0]?.message ?? '');
    const refusal = this.#refusal(answer, said, errors);
    if (refusal !== null) throw refusal;
    if (!parsed.success)
      throw new GithubFailure('bad-answer', 'what GitHub answered is no JSON of the kind that it sends');
    if (data === null || data === undefined) {
      if (errors.some(({ type }) => type === 'INSUFFICIENT_SCOPES')) throw new GithubFailure('missing-scopes', said);
      throw new GithubFailure(errors.length > 0 ? 'failed' : 'bad-answer', `GitHub refused the question (${said})`);
    }
    return { data, errors };
  }

  #refusal(answer: HttpAnswer, said: string, errors: readonly GraphqlError[]): GithubFailure | null {
    const { status } = answer;
    const told = said === '' ? '' : ` (${said})`;
    if (status === 401)
      return new GithubFailure('not-logged-in', `GitHub does not know the login of the GitHub CLI${told}`);
    const isSecondary = /secondary rate limit|abuse/i.test(said);
    const isOut =
      errors.some(({ type }) => type === 'RATE_LIMITED') || answer.headers.get('x-ratelimit-remaining') === '0';
    if (isSecondary || ((status === 403 || status === 429) && (answer.headers.has('retry-after') || isOut)))
      return this.#limited(answer, `GitHub wants to be asked more slowly${told}`);
    if (errors.some(({ type }) => type === 'RATE_LIMITED'))
      return this.#limited(answer, `GitHub's limit is used up${told}`);
    if (status >= 500)
      return new GithubFailure(
        'overloaded',
        `GitHub answered with an error of its own (${status}${said === '' ? '' : `: ${said}`})`,
      );
    if (status === 403) return new GithubFailure('missing-scopes', `GitHub refused the question${told}`);
    if (status !== 200) return new GithubFailure('bad-answer', `GitHub answered with the code ${status}${told}`);
    return null;
  }

  #limited({ headers }: HttpAnswer, what: string): GithubFailure {
    const now = this.#options.clock.now();
    const after = Number(headers.get('retry-after') ?? NaN);
    const reset = headers.get('x-ratelimit-remaining') === '0' ? Number(headers.get('x-ratelimit-reset') ?? NaN) : NaN;
    const until: UnixMs = Number.isFinite(after)
      ? now + Math.max(0, after) * 1_000
      : Number.isFinite(reset)
        ? reset * 1_000
        : now + SECONDARY_MS;
    // Clocks differ, and nothing of GitHub's lasts for longer.
    const notBefore = Math.min(until, now + LONGEST_MS);
    return new GithubFailure('rate-limited', what, { notBefore });
  }
}

/**
 * The outcome of a process that is ended by one of these signals. Where `gh` is a script, what it started may hold its output open for
 * longer; nobody waits for that.
 */
async function settledSoon<T>(
  running: Promise<T> & { readonly stdout: Readable; readonly stderr: Readable; kill(signal: 'SIGKILL'): boolean },
  ends: readonly AbortSignal[],
): Promise<T> {
  const giveUp = (): void => {
    late = setTimeout(() => {
      running.kill('SIGKILL');
      running.stdout.destroy();
      running.stderr.destroy();
    }, LAST_WORDS_MS);
  };
  let late: NodeJS.Timeout | undefined;
  const end = AbortSignal.any([...ends]);
  end.addEventListener('abort', giveUp, { once: true });
  try {
    return await running;
  } finally {
    end.removeEventListener('abort', giveUp);
    clearTimeout(late);
  }
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function lastLine(text: string): string {
  return oneLine(text.trim().split('\n').at(-1) ?? '');
}

/** For a message: one line without control characters, not too long. */
function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
