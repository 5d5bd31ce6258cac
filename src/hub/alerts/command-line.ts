import { stripVTControlCharacters } from 'node:util';

/** Longest text that takes the place of one placeholder, characters. */
const LONGEST = 2_000;
const PLACEHOLDER = /\{(event|id|severity|machine|title|message|next)\}/g;

/** What the placeholders of `alerts.command` stand for. */
export interface CommandWords {
  /** `raised`, or `worse` for one that was told before. */
  readonly event: 'raised' | 'worse';
  readonly id: string;
  readonly severity: string;
  readonly machine: string;
  readonly title: string;
  readonly message: string;
  readonly next: string;
}

/**
 * The arguments with their placeholders filled in, each within its own argument: nothing is split, and what is filled in is not looked
 * at again. Control characters become spaces. An argument that would begin with `-` only because of what was filled in gets a space
 * in front, so that no program takes the words of an alert for an option.
 */
export function fillArguments(given: readonly string[], words: CommandWords): string[] {
  return given.map((argument) => {
    const filled = argument.replaceAll(PLACEHOLDER, (_, name: keyof CommandWords) => plain(words[name]));
    return filled.startsWith('-') && !argument.startsWith('-') ? ` ${filled}` : filled;
  });
}

function plain(text: string): string {
  return stripVTControlCharacters(text)
    .slice(0, LONGEST)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}
