import { HubError } from '../protocol/errors.ts';

/** A failure as a message: what was tried, what is unchanged, what to do. */
export function failureText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const first = `${message.charAt(0).toUpperCase()}${message.slice(1)}`;
  if (!HubError.is(error)) return `Claude Sync: ${first}`;
  const sentences = [/[.!?]$/.test(first) ? first : `${first}.`, error.unchanged, error.next];
  return `Claude Sync: ${sentences.filter((part) => part !== null).join(' ')}`;
}
