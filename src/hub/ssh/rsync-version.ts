/** Which rsync it is. */
export interface RsyncVersion {
  /** macOS ships `openrsync`, which knows about as much as rsync 2.6.9. */
  readonly implementation: 'rsync' | 'openrsync';
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** What the first lines of `rsync --version` say; `null` when that is something else. */
export function parseRsyncVersion(text: string): RsyncVersion | null {
  const found = /\brsync\s+version\s+v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/.exec(text);
  const implementation = /\bopenrsync\b/i.test(text) ? 'openrsync' : 'rsync';
  if (found === null) return implementation === 'openrsync' ? { implementation, major: 2, minor: 6, patch: 0 } : null;
  const [major = 0, minor = 0, patch = 0] = found.slice(1).map((digits = '0') => Number(digits));
  return { implementation, major, minor, patch };
}

/** Whether it has what rsync `major.minor.patch` brought. */
export function isAtLeast(version: RsyncVersion, major: number, minor: number, patch = 0): boolean {
  if (version.implementation !== 'rsync') return false;
  if (version.major !== major) return version.major > major;
  return version.minor > minor || (version.minor === minor && version.patch >= patch);
}
