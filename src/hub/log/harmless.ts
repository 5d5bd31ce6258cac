import { namesSecret } from '../../core/secrets/assignments.ts';
import { maskSecrets } from '../../core/secrets/mask.ts';

/** Characters of a text that a log keeps. */
const LONGEST_TEXT = 500;
/** Characters that are looked through for secrets; more than are kept, because masks are shorter than what they hide. */
const LONGEST_LOOK = 25_000;
/** Objects in objects that are looked into, and entries of one. Nothing that is logged on purpose goes beyond. */
const DEEPEST = 2;
const MOST_ENTRIES = 50;
const LONGEST_CHAIN = 5;
/** Names as we give them: too short and too plain for a secret. */
const USUAL_NAME = /^[A-Za-z]{1,16}$/;

/**
 * The fields of a line as they may be written: texts without secrets and cut at 500 characters, bytes as their number, errors as name,
 * message, code, place and what caused them. Fields with the name of a secret are hidden whatever they hold.
 */
export function harmlessFields(fields: Record<string, unknown>): Record<string, unknown> {
  return entriesOf(fields, 0);
}

/** `text` without secrets, cut. */
export function harmlessText(text: string): string {
  // Secrets first: half of one that was cut would not be known as one.
  const masked = maskSecrets(text.slice(0, LONGEST_LOOK));
  if (masked.length <= LONGEST_TEXT && text.length <= LONGEST_LOOK) return masked;
  return `${masked.slice(0, LONGEST_TEXT)}... (${text.length} characters)`;
}

/** Any value as it may be written. */
export function harmless(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return harmlessText(value);
  if (typeof value === 'bigint') return value.toString();
  // One named toJSON would have the last word.
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= DEEPEST) return '<more>';
  if (value instanceof Map || value instanceof Set) return `<${value.size} entries>`;
  if (!Array.isArray(value)) return entriesOf(value, depth + 1);
  const shown = value.slice(0, MOST_ENTRIES).map((entry) => harmless(entry, depth + 1));
  return value.length <= MOST_ENTRIES ? shown : [...shown, `<${value.length - MOST_ENTRIES} more>`];
}

function entriesOf(fields: object, depth: number): Record<string, unknown> {
  const harmlessOnes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields).slice(0, MOST_ENTRIES)) {
    const isHidden = namesSecret(name) && value !== null && value !== undefined && typeof value !== 'boolean';
    harmlessOnes[USUAL_NAME.test(name) ? name : harmlessText(name)] = isHidden ? '[hidden]' : harmless(value, depth);
  }
  return harmlessOnes;
}

function describeError(error: Error): unknown {
  const { name, message, stack } = error;
  // The message comes first in the stack, and may look like a place.
  const places = stack?.slice(stack.indexOf(message) + message.length);
  return {
    name: harmlessText(name),
    message: harmlessText(message),
    ...codeOf(error),
    at: places
      ?.split('\n    at ')
      .slice(1, 5)
      .map((line) => harmlessText(line.trim())),
    ...causesOf(error),
  };
}

function codeOf(error: Error): { code?: string } {
  return 'code' in error && typeof error.code === 'string' ? { code: harmlessText(error.code) } : {};
}

/** What caused an error, and what caused that, in words. */
function causesOf(error: Error): { causes?: unknown[] } {
  const causes: unknown[] = [];
  let { cause } = error;
  // An error may be its own cause.
  while (cause !== undefined && cause !== null && causes.length < LONGEST_CHAIN) {
    if (!(cause instanceof Error)) {
      causes.push({ message: typeof cause === 'string' ? harmlessText(cause) : `<${typeof cause}>` });
      break;
    }
    causes.push({ name: harmlessText(cause.name), message: harmlessText(cause.message), ...codeOf(cause) });
    ({ cause } = cause);
  }
  return causes.length === 0 ? {} : { causes };
}
