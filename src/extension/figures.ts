import { plainLine } from '../client/plain-text.ts';

/** A point in time as people here write it; `never` for 0. @param timeStyle `short`: to the minute. */
export function localTime(at: number, timeStyle: 'medium' | 'short' = 'medium'): string {
  return at === 0 ? 'never' : new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle });
}

/** Foreign text as one harmless line for a quick pick, where `$(name)` would become an icon. */
export function pickText(text: string): string {
  return plainLine(text).replaceAll('$(', '$\u2060(');
}

/**
 * Foreign text for a tooltip, where nothing of it is markup or an icon. `MarkdownString.appendText` does that too, and makes every space one that
 * lines are not broken at.
 */
export function escapeMarkdown(text: string): string {
  return pickText(text).replaceAll(/[!-/:-@[-`{-~]/g, String.raw`\$&`);
}
