/** What a secret is, as far as its looks tell. */
export type SecretKind =
  | 'anthropic-key'
  | 'openai-key'
  | 'github-token'
  | 'gitlab-token'
  | 'slack-token'
  | 'aws-key'
  | 'google-key'
  | 'stripe-key'
  | 'npm-token'
  | 'pypi-token'
  | 'huggingface-token'
  | 'jwt'
  | 'authorization'
  | 'url-password'
  | 'private-key'
  | 'assigned';

/** How secrets of one kind are found. */
export interface SecretPattern {
  readonly kind: SecretKind;
  /**
   * Global. The secret is the last group that took part, which ends the match, or the whole match where there is no group.
   *
   * Texts are hostile: an expression must take linear time. So it begins with fixed letters and may not begin inside what it has
   * just failed on (the look-behind), each repetition is of one class of characters, and what follows one is not in that class.
   * And none repeats without bound: millions of characters in one repetition overflow the stack of the engine.
   */
  readonly expression: RegExp;
  /** Whether a match is one: what an expression cannot say in linear time. */
  readonly accepts?: (secret: string, match: RegExpExecArray) => boolean;
}

/** Everything but assignments (`password=...`), which depend on names: see `assignments.ts`. */
export const SECRET_PATTERNS: readonly SecretPattern[] = [
  { kind: 'anthropic-key', expression: /(?<![\w-])sk-ant-[\w-]{16,4096}/g },
  { kind: 'openai-key', expression: /(?<![\w-])sk-(?!ant-)[\w-]{20,4096}/g, accepts: isOpenAiKey },
  { kind: 'github-token', expression: /(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9_]{20,4096}/g },
  { kind: 'github-token', expression: /(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{20,4096}/g },
  { kind: 'gitlab-token', expression: /(?<![\w-])gl(?:pat|dt|rt|ptt|ft|soat|cbt|agent)-[\w-]{20,4096}/g },
  { kind: 'slack-token', expression: /(?<![\w-])(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,4096}/g, accepts: hasDigit },
  { kind: 'slack-token', expression: /hooks\.slack\.com\/services\/([A-Za-z0-9/]{20,4096})/g },
  { kind: 'aws-key', expression: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g },
  {
    kind: 'aws-key',
    expression: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}[^A-Za-z0-9/+]{1,10}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/g,
  },
  { kind: 'google-key', expression: /(?<![\w-])AIza[\w-]{35,4096}/g },
  { kind: 'google-key', expression: /(?<![\w-])(?:GOCSPX-|ya29\.)[\w-]{20,4096}/g },
  { kind: 'stripe-key', expression: /(?<![A-Za-z0-9])[rs]k_(?:live|test)_[A-Za-z0-9]{16,4096}/g },
  { kind: 'npm-token', expression: /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36,4096}/g },
  { kind: 'pypi-token', expression: /(?<![\w-])pypi-[\w-]{50,4096}/g },
  { kind: 'huggingface-token', expression: /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,4096}/g, accepts: hasDigit },
  { kind: 'jwt', expression: /(?<![\w-])eyJ[\w-]{8,4096}\.eyJ[\w-]{8,4096}(?:\.[\w-]{0,4096}){0,3}/g },
  {
    kind: 'authorization',
    expression: /(?<![A-Za-z0-9])(?:bearer|basic)[ \t]{1,8}([\w.~+/=-]{8,4096})/gi,
    // "Basic authentication" and "the bearer of" are words.
    accepts: (secret) => /[0-9=]|[a-z][A-Z]/.test(secret),
  },
  {
    kind: 'authorization',
    expression:
      /authorization\\{0,7}["']?[ \t]{0,8}[:=][ \t]{0,8}\\{0,7}["']?(?:bearer|basic|token|apikey|negotiate)[ \t]{1,8}([^\s"'\\,;[\]]{4,4096})/gi,
  },
  {
    kind: 'url-password',
    expression: /:\/\/[^\s/:@"'<>\\?#[]{0,256}:([^\s/"'<>\\?#]{1,1024})(?=@)/g,
    accepts: (secret) => !isPlaceholder(secret),
  },
  // A token in place of a user.
  { kind: 'url-password', expression: /:\/\/([\w-]{20,256})(?=@)/g, accepts: hasDigit },
];

/** Whether a text stands where a secret would: `$TOKEN`, `<password>`, `****`, or what `maskSecrets` puts there. */
export function isPlaceholder(text: string): boolean {
  return /^(?:[$<%{]|\*+$|\.+$|x+$)/i.test(text.slice(0, 64)) || text.includes(MASK_BEGIN);
}

/** What `maskSecrets` writes in place of a secret is this, its kind, and `]`. */
export const MASK_BEGIN = '[hidden:';

/** The older ones are one word, the newer ones of several, mostly long; `sk-learn-the-basics` is neither, nor is a name with a uuid. */
function isOpenAiKey(secret: string): boolean {
  const words = secret.slice(3).split(/[-_]/);
  if (words.some((word) => word.length >= 20 && /[0-9]/.test(word) && /[a-z]/i.test(word))) return true;
  return secret.length >= 40 && /[0-9]/.test(secret) && /[a-z]/.test(secret.slice(3)) && /[A-Z]/.test(secret);
}

function hasDigit(secret: string): boolean {
  return /[0-9]/.test(secret);
}
