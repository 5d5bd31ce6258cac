import { findSecrets } from '../secrets/mask.ts';
import type { SecretKind } from '../secrets/patterns.ts';

/**
 * What every pattern but `assigned` needs somewhere. Asked of the bytes of a line, because most lines have nothing of the kind and need not be
 * parsed; JSON writes all of these as they are.
 */
const HINT =
  /sk-|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|ft|soat|cbt|agent)-|xox[a-z]-|xapp-|hooks\.slack\.com|AKIA|ASIA|AIza|GOCSPX-|ya29\.|[rs]k_(?:live|test)_|npm_|pypi-|hf_|eyJ|bearer|basic |authorization|:\/\/[^\s"\\]{0,300}@|PRIVATE KEY/i;

/** Deeper structures are not looked into: they would be a way to overflow the stack. */
const DEEPEST = 50;

/**
 * Well-known tokens and keys in a line of a transcript, different ones counted by their kind; never the secrets themselves. What only stands
 * behind a telling name (`password=...`) is not counted: in conversations that is an example far more often than a secret.
 * @param line without its newline; any bytes.
 */
export function secretsInLine(line: Buffer): ReadonlyMap<SecretKind, number> {
  const found = new Map<SecretKind, Set<string>>();
  if (HINT.test(line.toString('latin1'))) for (const text of textsOf(line)) collect(text, found);
  return new Map([...found].map(([kind, secrets]) => [kind, secrets.size]));
}

function collect(text: string, found: Map<SecretKind, Set<string>>): void {
  for (const { kind, from, to } of findSecrets(text)) {
    if (kind === 'assigned') continue;
    const secrets = found.get(kind) ?? new Set();
    found.set(kind, secrets.add(text.slice(from, to)));
  }
}

/** The texts in a record, as they are read; of a line that is no record the line. */
function textsOf(line: Buffer): string[] {
  const json = line.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    // Torn or damaged: what can be read in it can be found in it.
    if (error instanceof Error) return [json];
    throw error;
  }
  const texts: string[] = [];
  addTexts(value, texts, 0);
  return texts;
}

function addTexts(value: unknown, texts: string[], depth: number): void {
  if (typeof value === 'string') texts.push(value);
  else if (typeof value === 'object' && value !== null && depth < DEEPEST)
    for (const part of Object.values(value)) addTexts(part, texts, depth + 1);
}
