import type { MachineOs, RelativePath } from '../domain.ts';

/** Longest name of one file or folder: ext4, APFS and NTFS all take 255 bytes of UTF-8. */
const MAX_SEGMENT_BYTES = 255;

/**
 * Longest path below claudeDir. macOS refuses absolute paths over 1,024 bytes, so a longer relative one can be opened on no
 * Mac whatever its home folder is; a key must be able to live everywhere.
 */
const MAX_PATH_BYTES = 1024;

/** C0 (NUL and newline among them), DEL and C1: they forge lines and terminal escapes wherever a name is shown. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * What nearly all paths look like, so that the rules need not be gone through one by one: ASCII, short, and made of words that are too
 * long for a device, a short name of Windows, or `..`.
 */
const ORDINARY = /^[A-Za-z0-9_-]{5,}(?:[./][A-Za-z0-9_-]{5,})*$/;

/** Half a character: has no UTF-8 form, so it would come back as another name. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Devices of Windows; they stay devices with an extension (`nul.txt`) and with spaces before it. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/i;

/** A generated 8.3 alias (`CREDEN~1.JSO`): on NTFS it opens the long name it stands for, past every rule on names. */
const WINDOWS_SHORT_NAME = /^(?=[^.]{1,8}(?:\.|$))[^.]*~[0-9]+(?:\.[^.]{0,3})?$/;

/** Characters that Windows refuses in names although every other system takes them. */
const WINDOWS_FORBIDDEN = /[<>"|?*]/;

/** Code points that HFS+ skips when it compares names: `.g<U+200C>it` is `.git` there. */
const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * Why `path` must not become a key or be written anywhere, as the end of a sentence for the user (`its name ends in a dot`);
 * `null` when it is safe on every system. Paths come from other machines and are hostile input (sync.md section 7): each rule
 * closes a way to leave claudeDir, to hit another file than the one named, or to be a different file on another system.
 */
export function unsafeReason(path: RelativePath): string | null {
  if (path.length <= MAX_SEGMENT_BYTES && ORDINARY.test(path)) return null;
  if (path === '') return 'it has no name';
  if (CONTROL.test(path)) return 'its name has a control character';
  if (path.includes('\\')) return 'its name has a backslash, which separates folders on Windows';
  if (path.includes(':')) return 'its name has a colon, which names drives and hidden streams on Windows';
  if (LONE_SURROGATE.test(path)) return 'its name is not valid Unicode';
  if (byteLength(path) > MAX_PATH_BYTES)
    return `its path is longer than ${MAX_PATH_BYTES} bytes, which macOS cannot open`;
  for (const segment of path.split('/')) {
    const reason = unsafeSegmentReason(segment);
    if (reason !== null) return reason;
  }
  return null;
}

/**
 * Why a safe `path` still cannot be written on a machine with `os`; `null` when it can. Not part of `unsafeReason`, because
 * such a name is fine between the other machines.
 */
export function unwritableReason(path: RelativePath, os: MachineOs): string | null {
  if (os === 'windows' && WINDOWS_FORBIDDEN.test(path)) return 'its name has one of < > " | ? *, which Windows refuses';
  return null;
}

/**
 * The form in which two paths are equal when some file system would take them for one file: composed (NFC) and case-folded.
 * Two different paths with one form must not both be placed (sync.md section 7). The fold is wider than any single system's
 * (`ß` = `ss`): holding back one file too many is harmless, writing two into one is not.
 */
export function collisionForm(path: RelativePath): string {
  // ASCII is its own composed form; nearly every path takes this way out.
  if (isAscii(path)) return path.toLowerCase();
  const visible = path.replace(IGNORED_BY_HFS, '').normalize('NFD');
  return visible.toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

function unsafeSegmentReason(segment: string): string | null {
  if (segment === '') return 'its path is absolute or has an empty part';
  if (segment === '.' || segment === '..') return `its path has a ${segment} part`;
  if (segment.endsWith('.')) return 'its name ends in a dot, which Windows drops';
  if (segment.endsWith(' ')) return 'its name ends in a space, which Windows drops';
  if (WINDOWS_DEVICE.test(segment)) return 'its name is a device on Windows';
  if (WINDOWS_SHORT_NAME.test(segment))
    return 'its name looks like a short name of Windows, which would open another file';
  if (byteLength(segment) > MAX_SEGMENT_BYTES) return `a part of its path is longer than ${MAX_SEGMENT_BYTES} bytes`;
  return null;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function isAscii(text: string): boolean {
  return byteLength(text) === text.length;
}
