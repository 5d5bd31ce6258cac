import type { Key } from '../../core/domain.ts';

/**
 * How keys are spelled as file names below `archive/`. `plain` is for file systems that keep every name apart; `folded` also
 * encodes capital letters and everything beyond ASCII, for those that take `A` and `a`, or two spellings of an
 * umlaut, for one name.
 */
export type Spelling = 'plain' | 'folded';

/** Folder below `archive/` for what is not a head. No key is ever spelled like this: `%ar` is no encoded byte. */
export const OWN_FOLDER = '%archive';

/** Longest file name that is made, in bytes; file systems take 255 and some layers above them less. */
const SEGMENT_BYTES = 200;

const CONTINUES = '%+';
const KIND_MARK = '%';
const LOG_SUFFIX = '.jsonl';

// eslint-disable-next-line no-control-regex
const NEVER_PLAIN = /[\u0000-\u001f\u007f%<>:"|?*\\]|[. ]$/gu;
// eslint-disable-next-line no-control-regex
const NEVER_FOLDED = /[\u0000-\u001f\u007f%<>:"|?*\\A-Z]|[^\u0000-\u007f]|[. ]$/gu;
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * Path of the head file of `key` below `archive/`. `keyOfPath` is its inverse for every key.
 *
 * - A session is `session/<uuid>.jsonl`, the history `history.jsonl`; any other key is spelled as it is, with the bytes that no file
 *   system can be trusted with as `%XX`.
 * - What is a file on one machine may be a folder on another (`skills/x`, `skills/x/SKILL.md`), and both have to be kept. So a
 *   file has a dot in its name or a `%` behind it, and a folder has neither (except where the kind of key settles it).
 * - A name that is too long goes on in a folder: `<first part>%+/<rest>`.
 */
export function pathOfHead(key: Key, spelling: Spelling): string {
  const segments = key.split('/');
  if (segments.includes('')) throw new Error(`${JSON.stringify(key)} is not a key: it has an empty part`);
  if (isLog(segments)) segments[segments.length - 1] += LOG_SUFFIX;
  const fixed = fixedFolders(segments[0]!);
  return segments
    .map((segment, index) => {
      const isFile = index === segments.length - 1;
      const needsMark = isFile ? !segment.includes('.') : segment.includes('.') && index >= fixed;
      // The mark for "file" and "folder" is the same: names with a dot and names without one never meet.
      return spellSegment(segment, spelling) + (needsMark ? KIND_MARK : '');
    })
    .flatMap(inPieces)
    .join('/');
}

/** Key of the head file at `path` below `archive/`, in either spelling; `null` when the file is not a head. */
export function keyOfPath(path: string): Key | null {
  const segments: string[] = [];
  let begun = '';
  for (const piece of path.split('/')) {
    if (piece.endsWith(CONTINUES)) {
      begun += piece.slice(0, -CONTINUES.length);
      continue;
    }
    const whole = begun + piece;
    begun = '';
    segments.push(whole.endsWith(KIND_MARK) ? whole.slice(0, -KIND_MARK.length) : whole);
  }
  const names = segments.map(readSegment);
  if (names.includes(null) || begun !== '') return null;
  const key = names.join('/');
  const logKey = key.endsWith(LOG_SUFFIX) ? key.slice(0, -LOG_SUFFIX.length) : key;
  const found = isLog(logKey.split('/')) ? logKey : key;
  // A file that somebody put there by hand may read like a key without being its spelling.
  return found !== '' && (pathOfHead(found, 'plain') === path || pathOfHead(found, 'folded') === path) ? found : null;
}

function isLog(segments: readonly string[]): boolean {
  if (segments.length === 2) return segments[0] === 'session';
  // Also with the suffix, so that a key that is spelled like the file of another gets a file of its own.
  return segments.length === 1 && /^history(\.jsonl)*$/.test(segments[0]!);
}

/** How many leading parts of a key can only be folders: names of projects keep their dots unmarked, because people read them. */
function fixedFolders(top: string): number {
  return top === 'project' ? 2 : 0;
}

function spellSegment(segment: string, spelling: Spelling): string {
  const spelled = segment.replace(spelling === 'plain' ? NEVER_PLAIN : NEVER_FOLDED, percent);
  return RESERVED.test(spelled) ? percent(spelled[0]!) + spelled.slice(1) : spelled;
}

function percent(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function readSegment(spelled: string): string | null {
  const bytes: Buffer[] = [];
  for (const [part] of spelled.matchAll(/%[0-9A-F]{2}|%|[^%]+/g)) {
    if (part === '%') return null;
    bytes.push(part.startsWith('%') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part));
  }
  return Buffer.concat(bytes).toString();
}

function inPieces(segment: string): string[] {
  if (Buffer.byteLength(segment) <= SEGMENT_BYTES) return [segment];
  const pieces: string[] = [];
  let piece = '';
  let bytes = 0;
  for (const character of segment) {
    const more = Buffer.byteLength(character);
    if (bytes + more > SEGMENT_BYTES - CONTINUES.length) {
      pieces.push(piece + CONTINUES);
      piece = '';
      bytes = 0;
    }
    piece += character;
    bytes += more;
  }
  return [...pieces, piece];
}
