/** Which rsync it is. */
export interface RsyncVersion {
  /** macOS ships `openrsync`, which knows about as much as rsync 2.6.9. */
  readonly implementation: 'rsync' | 'openrsync';
  readonly major: number;
  readonly minor: number;
}

/** What the first lines of `rsync --version` say; `null` when that is something else. */
export function parseRsyncVersion(text: string): RsyncVersion | null {
  const found = /\brsync\s+version\s+v?(\d{1,4})\.(\d{1,4})/.exec(text);
  const implementation = /\bopenrsync\b/i.test(text) ? 'openrsync' : 'rsync';
  if (found === null) return implementation === 'openrsync' ? { implementation, major: 2, minor: 6 } : null;
  return { implementation, major: Number(found[1]), minor: Number(found[2]) };
}

/** Whether it has what rsync `major.minor` brought. */
export function isAtLeast(version: RsyncVersion, major: number, minor: number): boolean {
  if (version.implementation !== 'rsync') return false;
  return version.major > major || (version.major === major && version.minor >= minor);
}
