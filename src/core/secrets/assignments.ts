import { isPlaceholder, type SecretPattern } from './patterns.ts';

/** Names whose values are secret whatever they look like. */
const STRONG =
  'pass(?:word|wd|phrase)|pwd|(?:secret|private|signing|encryption)[_-]?(?:access[_-]?)?key|client[_-]?secret';
/** Names that are also words of prose and of code. */
const WEAK = '(?:api|access|auth)[_-]?key|secret|token|credentials?|authorization';

const NAME = `(${STRONG})|(?:${WEAK})`;
/** Closing quote of the name (as often escaped as JSON in JSON makes it), then `=`, `:`, `:=` or `=>`, and perhaps a list. */
const SEPARATOR = '\\\\{0,7}["\']?([ \\t]{0,8}(?::=|=>|[:=])[ \\t]{0,8}(?:\\[[ \\t]{0,8}(?=["\']))?)';
/** No secret is longer; a bound keeps hostile texts cheap. */
const LONGEST = 8192;
const IN_QUOTES = `"((?:[^"\\\\\\r\\n]|\\\\[^\\r\\n]){1,${LONGEST}})|'((?:[^'\\\\\\r\\n]|\\\\[^\\r\\n]){1,${LONGEST}})`;
const IN_ESCAPED_QUOTES = `\\\\{1,7}["']([^"'\\\\\\r\\n]{1,${LONGEST}})`;
const BARE = `([^\\s"'\\\\,;&]{1,${LONGEST}})`;

/** `password=...`, `"accessToken": "..."`, `API_KEY: ...` and the like; the value is the secret. */
export const ASSIGNMENTS: SecretPattern = {
  kind: 'assigned',
  expression: new RegExp(`(?:${NAME})${SEPARATOR}(?:${IN_QUOTES}|${IN_ESCAPED_QUOTES}|${BARE})`, 'gi'),
  accepts: (secret, match) => {
    if (isPlaceholder(secret) || isPath(secret)) return false;
    const isStrong = match[1] !== undefined;
    const isBare = match[6] !== undefined;
    // `password: string` and `token = next()` are code.
    if (isBare && (TYPES.test(secret) || /^[\w.]{1,64}\(/.test(secret))) return false;
    if (isStrong) return true;
    if (/^[0-9.]+$/.test(secret) || secret.length < 4 || /\s/.test(secret)) return false;
    // "invalid token: unexpected end" is prose.
    const isSpaced = isBare && /[ \t]/.test(match[2] ?? '');
    return !isSpaced || looksRandom(secret);
  },
};

const NAME_ALONE = new RegExp(`(?:${NAME}|authorization|cookie)$`, 'i');

/** Whether a field of this name holds a secret: `password`, `accessToken`, `AWS_SECRET_ACCESS_KEY`; not `tokens`, `tokenCount`, `key`. */
export function namesSecret(name: string): boolean {
  return NAME_ALONE.test(name.slice(-64));
}

const TYPES = /^(?:string|str|number|boolean|any|unknown|null|none|nil|undefined|true|false|required|optional)$/i;

function looksRandom(text: string): boolean {
  return text.length >= 8 && /[0-9]/.test(text) && /[a-z]/i.test(text);
}

/** Where a secret lies is none: `PWD=/home/me`, `private_key=~/.ssh/id_ed25519`. */
function isPath(text: string): boolean {
  return /^(?:~|\.{1,2}|[a-z]:)[/\\]|^\/(?:home|Users|root|etc|var|tmp|opt|mnt|usr|run|srv)(?:\/|$)/i.test(text);
}
