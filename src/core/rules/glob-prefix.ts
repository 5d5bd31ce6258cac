import picomatch from 'picomatch';

/** One step of a glob: `deep` stands for any number of folders. */
type Step = 'deep' | RegExp;

/**
 * Whether something below a folder could match a glob, answered from the folder alone. Lets a scan leave out whole trees.
 * Works on globs whose `**` are whole segments, which all of the path table are.
 */
export class GlobPrefix {
  readonly #steps: readonly Step[];

  constructor(glob: string) {
    this.#steps = glob
      .split('/')
      .map((segment) => (segment === '**' ? 'deep' : picomatch.makeRe(segment, { dot: true })));
  }

  /**
   * @param folders names of the folders from claudeDir down, none for claudeDir itself
   * @returns `false` only when no path below that folder can match
   */
  mayMatchBelow(folders: readonly string[]): boolean {
    let live = this.#closure(new Set([0]));
    for (const folder of folders) {
      const next = new Set<number>();
      for (const at of live) {
        const step = this.#steps[at];
        if (step === 'deep') next.add(at);
        else if (step?.test(folder)) next.add(at + 1);
      }
      live = this.#closure(next);
    }
    // At least one more name has to come, so a glob that is used up does not count.
    return [...live].some((at) => at < this.#steps.length);
  }

  /** `**` may also stand for no folder at all. */
  #closure(positions: Set<number>): Set<number> {
    for (const at of positions) if (this.#steps[at] === 'deep') positions.add(at + 1);
    return positions;
  }
}
