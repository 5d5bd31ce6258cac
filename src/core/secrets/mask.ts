import { ASSIGNMENTS } from './assignments.ts';
import { MASK_BEGIN, SECRET_PATTERNS, type SecretKind, type SecretPattern } from './patterns.ts';
import { findPrivateKeys } from './private-keys.ts';

/** Where something lies that looks like a secret: `[from, to)` in UTF-16 units, as `slice` takes them. */
export interface SecretSpan {
  readonly kind: SecretKind;
  readonly from: number;
  readonly to: number;
}

/**
 * Everything in `text` that looks like a secret, in order and without overlaps. By looks alone: a password in a sentence is not
 * found, and ids, hashes and paths are none. Takes time in proportion to the length of the text, whatever it holds.
 */
export function findSecrets(text: string): SecretSpan[] {
  const found = findPrivateKeys(text);
  for (const pattern of SECRET_PATTERNS) collect(text, pattern, found);
  collect(text, ASSIGNMENTS, found);
  return found.length < 2 ? found : withoutOverlaps(found);
}

/** `text` with each secret replaced by its kind: `[hidden:github-token]`. Masking twice is the same as once. */
export function maskSecrets(text: string): string {
  let masked = text;
  // Once is enough but for secrets that follow each other without anything between: the first hides where the second begins.
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const secrets = findSecrets(masked);
    if (secrets.length === 0) break;
    masked = replaced(masked, secrets);
  }
  return masked;
}

const MOST_ROUNDS = 8;

function replaced(text: string, secrets: readonly SecretSpan[]): string {
  let masked = '';
  let done = 0;
  for (const { kind, from, to } of secrets) {
    masked += `${text.slice(done, from)}${MASK_BEGIN}${kind}]`;
    done = to;
  }
  return masked + text.slice(done);
}

function collect(text: string, { kind, expression, accepts }: SecretPattern, found: SecretSpan[]): void {
  expression.lastIndex = 0;
  for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
    const secret = match.findLast((group, index) => index > 0 && group !== undefined) ?? match[0];
    if (accepts !== undefined && !accepts(secret, match)) continue;
    const to = match.index + match[0].length;
    found.push({ kind, from: to - secret.length, to });
  }
}

/** Of two that overlap, the one that begins first gives its kind (a token is a better name than `assigned`), and both are covered. */
function withoutOverlaps(found: readonly SecretSpan[]): SecretSpan[] {
  const apart: SecretSpan[] = [];
  for (const span of found.toSorted((a, b) => a.from - b.from)) {
    const last = apart.at(-1);
    if (last === undefined || span.from >= last.to) apart.push(span);
    else if (span.to > last.to) apart[apart.length - 1] = { ...last, to: span.to };
  }
  return apart;
}
