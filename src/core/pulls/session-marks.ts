import type { UnixMs } from '../domain.ts';
import { instantOf } from '../log/record.ts';

/** A pull request that a conversation says it belongs to. */
export interface PullLink {
  /** `owner/name`, spelled as recorded. */
  readonly repository: string;
  readonly number: number;
  /** `https://<host>/<owner>/<name>/pull/<number>`, without credentials and without anything behind it. */
  readonly url: string;
}

/** What a conversation says about its branches and pull requests. What was said last stands last, what was said first is left out. */
export interface SessionMarks {
  /** Git branches, at most `MOST_BRANCHES`; a detached head is none. */
  readonly branches: readonly string[];
  /** Each pull request once, at most `MOST_LINKS`. */
  readonly links: readonly PullLink[];
  /** Absolute paths as recorded, at most `MOST_CWDS`. */
  readonly cwds: readonly string[];
  /** Latest time in a record; `null` when none has one. It is the recording machine's clock. */
  readonly at: UnixMs | null;
}

/** See {@link SessionMarks}. */
export const MOST_BRANCHES = 20;
/** See {@link SessionMarks}. */
export const MOST_LINKS = 20;
/** See {@link SessionMarks}. */
export const MOST_CWDS = 10;

/** Longer texts are no names that a git or a file system takes. They would be kept in memory for good. */
const LONGEST_BRANCH = 1_024;
const LONGEST_CWD = 4_096;
const LONGEST_URL = 2_048;

/**
 * Reads the marks in texts that were cut out of a transcript, in file order. Never throws: a line that is torn or no record is
 * skipped. The CLI repeats its state about every 32 KiB and at exit (docs: transcript records), so the pieces of `tellingRanges`
 * tell what counts now.
 */
export function readMarks(pieces: readonly string[]): SessionMarks {
  const branches = new Set<string>();
  const cwds = new Set<string>();
  const links = new Map<string, PullLink>();
  let at: UnixMs | null = null;
  for (const piece of pieces) {
    for (const record of tellingRecords(piece)) {
      const time = instantOf(record.timestamp);
      if (time !== null && (at === null || time > at)) at = time;
      if (isName(record.gitBranch, LONGEST_BRANCH) && record.gitBranch !== 'HEAD') {
        branches.delete(record.gitBranch);
        branches.add(record.gitBranch);
      }
      if (isName(record.cwd, LONGEST_CWD)) {
        cwds.delete(record.cwd);
        cwds.add(record.cwd);
      }
      const link = record.type === 'pr-link' ? linkIn(record) : null;
      if (link !== null) {
        const id = `${link.repository.toLowerCase()}#${link.number}`;
        links.delete(id);
        links.set(id, link);
      }
    }
  }
  return {
    branches: [...branches].slice(-MOST_BRANCHES),
    links: [...links.values()].slice(-MOST_LINKS),
    cwds: [...cwds].slice(-MOST_CWDS),
    at,
  };
}

/** `owner/name` when `text` is spelled like a repository of GitHub, else `null`. */
export function validRepository(text: unknown): string | null {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]{1,100}\/[A-Za-z0-9._-]{1,100}$/.test(text)) return null;
  return /\/\.{1,2}$/.test(text) ? null : text;
}

/** The fields that are read; none of them proven to be there or to be of any kind. */
type RawRecord = Partial<
  Record<'type' | 'timestamp' | 'gitBranch' | 'cwd' | 'prNumber' | 'prUrl' | 'prRepository', unknown>
>;

/**
 * Records that may say something. The lines are told by their names in quotes: inside a text of a message the quotes are
 * escaped, so that most lines with something large in them are not parsed.
 */
function* tellingRecords(text: string): Generator<RawRecord> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    if (!line.includes('"gitBranch"') && !line.includes('"pr-link"')) continue;
    const record = parse(line);
    if (record !== null) yield record;
  }
}

function parse(line: string): RawRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    // Torn, or two records in one: the CLI sees no record here either.
    if (error instanceof Error) return null;
    throw error;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

const PULL_URL =
  /^https:\/\/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?)\/([^/]+\/[^/]+)\/pull\/([0-9]+)(?:[/?#]|$)/i;

/**
 * The pull request of a `pr-link` record. Fields that are missing or no use come from the address. Its own address is made anew:
 * it is shown as a link, and must not carry anything else.
 */
function linkIn({ prNumber, prUrl, prRepository }: RawRecord): PullLink | null {
  const hasUrl = typeof prUrl === 'string' && prUrl !== '';
  const parts = hasUrl && prUrl.length <= LONGEST_URL ? PULL_URL.exec(prUrl) : null;
  const [url, host = 'github.com', urlRepository, urlNumber] = parts ?? [];
  // An address of something else: a merge request of GitLab has an owner, a name and a number too.
  if (hasUrl && url === undefined) return null;
  const repository = validRepository(prRepository) ?? validRepository(urlRepository);
  const number = validNumber(prNumber) ?? validNumber(urlNumber);
  if (repository === null || number === null) return null;
  return { repository, number, url: `https://${host.toLowerCase()}/${repository}/pull/${number}` };
}

function validNumber(value: unknown): number | null {
  const number = typeof value === 'string' && /^[0-9]{1,10}$/.test(value) ? Number(value) : value;
  // GitHub's own numbers are 32 bits wide.
  return typeof number === 'number' && Number.isInteger(number) && number > 0 && number < 2 ** 31 ? number : null;
}

function isName(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest;
}
