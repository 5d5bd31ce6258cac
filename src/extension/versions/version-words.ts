import type { Version } from '../../protocol/versions.ts';

/** Why a version was kept, for people. */
export const REASON_WORDS: Readonly<Record<Version['reason'], string>> = {
  overwritten: 'was overwritten',
  deleted: 'was deleted',
  'lost-conflict': 'lost a conflict',
  merged: 'was merged into another one',
  cut: 'was cut short',
  torn: 'was half written',
  quarantined: 'came from a machine that was stopped',
};

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/**
 * What the hub may know a file by that is open in an editor: the conversation of a transcript, or the path below the Claude folder; `null` for
 * a file that lies in none. @param path absolute, with `/` or `\`.
 */
export function keyOfFile(path: string): string | null {
  const [, below] = /[\\/]\.claude[\\/](.+)$/.exec(path) ?? [];
  if (below === undefined) return null;
  return conversationOf(path) ?? below.replaceAll('\\', '/');
}

/** Id of the conversation whose transcript a file is; `null` for other files. */
export function conversationOf(path: string): string | null {
  const [name = ''] = path.split(/[\\/]/).slice(-1);
  return new RegExp(`^(${UUID.source})\\.jsonl$`).exec(name)?.[1] ?? null;
}
