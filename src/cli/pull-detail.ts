import type { Pull, PullsDetailResult } from '../protocol/pulls.ts';
import { UsageError } from './failure.ts';
import { ago, count } from '../client/figures.ts';
import type { Output } from './output.ts';
import { plainLine, plainText } from '../client/plain-text.ts';
import { BELONGS_WORDS } from '../client/pull-words.ts';
import { CHECK_TINT } from './pulls-table.ts';
import { table } from './table.ts';

/** Which pull request: `owner/name` and its number. */
export interface PullName {
  readonly repository: string;
  readonly number: number;
}

/** Longest `owner/name` of the protocol. */
const LONGEST_REPOSITORY = 200;
const REPOSITORY = /^[A-Za-z0-9_-]+\/[A-Za-z0-9._-]+$/;
const PULL_URL = /^https:\/\/(?:www\.)?github\.com\/([^/#?]+\/[^/#?]+)\/pull\/([0-9]+)(?:[/?#].*)?$/;

/**
 * Reads `OWNER/NAME#NUMBER`, `OWNER/NAME` with a `number` beside it, or the address of a pull request on github.com.
 * @throws {UsageError} for anything else.
 */
export function parsePullName(text: string, number?: string): PullName {
  const parts =
    number === undefined
      ? (PULL_URL.exec(text) ?? /^([^#]+)#([0-9]+)$/.exec(text))
      : [text, text, number.replace(/^#/, '')];
  const [, repository = '', digits = ''] = parts ?? [];
  const isRepository =
    REPOSITORY.test(repository) && !/\/\.{1,2}$/.test(repository) && repository.length <= LONGEST_REPOSITORY;
  const value = Number(digits);
  if (!isRepository || !/^[0-9]+$/.test(digits) || value < 1 || !Number.isSafeInteger(value)) {
    throw new UsageError('name a pull request: OWNER/NAME#NUMBER, OWNER/NAME NUMBER, or its address on github.com');
  }
  return { repository, number: value };
}

/** Order in which checks are of interest. */
const CHECK_ORDER = ['failed', 'pending', 'passed', 'skipped'];

const REVIEW_WORDS: Record<Pull['reviews'][number]['state'], string> = {
  approved: 'approved',
  'changes-requested': 'requests changes',
  commented: 'commented',
  dismissed: 'was dismissed',
  pending: 'is reviewing',
};

const MERGE_WORDS: Record<Pull['mergeable'], string> = {
  mergeable: 'no conflicts',
  conflicting: 'has conflicts',
  unknown: 'conflicts not known yet',
};

/**
 * Prints one pull request with its checks, conversations, description and comments. What GitHub says is indented below our own words,
 * so that no line of it can pass for one of them.
 * @param now Unix ms.
 */
export function printPullDetail(out: Output, name: PullName, detail: PullsDetailResult, now: number): void {
  const { pull, body } = detail;
  const title = pull === null ? '' : `  ${plainLine(pull.title)}`;
  out.line(out.tint('bold', `${plainLine(name.repository)}#${name.number}${title}`));
  if (pull !== null) printFacts(out, pull, now);
  const { additions, deletions, changedFiles, commits } = detail;
  out.line(
    fact('changes', `+${additions} -${deletions} in ${count(changedFiles, 'file')}, ${count(commits, 'commit')}`),
  );
  printChecks(out, detail);
  if (pull !== null) printSessions(out, pull, now);
  out.line(out.tint('bold', 'description'));
  out.line(body.trim() === '' ? '  (no description)' : indented(body, 2));
  printComments(out, detail, now);
}

function fact(what: string, text: string): string {
  return `${what.padEnd(9)}${plainLine(text)}`;
}

function printFacts(out: Output, pull: Pull, now: number): void {
  out.line(plainLine(pull.url));
  const times = `opened ${ago(pull.createdAt, now)}, updated ${ago(pull.updatedAt, now)}`;
  out.line(fact('by', `${pull.author}, ${times}${pull.isDraft ? ', a draft' : ''}`));
  out.line(fact('branch', `${pull.branch} into ${pull.baseBranch}, ${MERGE_WORDS[pull.mergeable]}`));
  out.line(fact('review', reviews(pull)));
  if (pull.labels.length > 0) out.line(fact('labels', pull.labels.map(({ name }) => name).join(', ')));
  if (pull.stale)
    out.line(out.tint('yellow', 'the lines above are from before: the last refresh could not ask about it'));
}

function reviews({ reviews: given, requestedReviewers, isMyTurn }: Pull): string {
  const parts = given.map(({ author, state }) => `${author} ${REVIEW_WORDS[state]}`);
  if (requestedReviewers.length > 0) parts.push(`waiting for ${requestedReviewers.join(', ')}`);
  if (isMyTurn) parts.push('it is your turn');
  return parts.length === 0 ? 'nobody yet' : parts.join('; ');
}

function printChecks(out: Output, { checks }: PullsDetailResult): void {
  const sorted = checks.toSorted((one, other) => CHECK_ORDER.indexOf(one.state) - CHECK_ORDER.indexOf(other.state));
  out.line(out.tint('bold', checks.length === 0 ? 'no checks' : `checks (${checks.length})`));
  if (sorted.length === 0) return;
  const rows = sorted.map(({ name, state, url }) => [state, name, state === 'failed' ? (url ?? '') : '']);
  // The first line is the heading, which these speaking rows do without.
  const [, ...lines] = table(['', '', ''], rows, (padded, column, row) => {
    const tint = column === 0 ? CHECK_TINT[sorted[row]?.state ?? ''] : undefined;
    return tint === undefined ? padded : out.tint(tint, padded);
  }).split('\n');
  for (const line of lines) out.line(`  ${line}`);
}

function printSessions(out: Output, { sessions }: Pull, now: number): void {
  if (sessions.length === 0) return;
  out.line(out.tint('bold', `conversations (${sessions.length})`));
  const rows = sessions.map(({ session, by, at }) => [session, BELONGS_WORDS[by], ago(at, now)]);
  const [, ...lines] = table(['', '', ''], rows).split('\n');
  for (const line of lines) out.line(`  ${line}`);
}

function printComments(out: Output, { comments }: PullsDetailResult, now: number): void {
  if (comments.length === 0) return;
  out.line(out.tint('bold', `last comments (${comments.length})`));
  for (const { author, at, body } of comments) {
    out.line(`  ${plainLine(author)}, ${ago(at, now)}`);
    out.line(indented(body, 4));
  }
}

/** Hostile text of several lines, each of them harmless and indented by `columns`. */
function indented(text: string, columns: number): string {
  return plainText(text)
    .trim()
    .split('\n')
    .map((line) => `${' '.repeat(columns)}${line}`.trimEnd())
    .join('\n');
}
