import picomatch from 'picomatch';

/** Whether a repository (`owner/name`, in any case) is among those that the user wants to hear of, by the globs of the configuration. */
export function wanted(include: readonly string[], exclude: readonly string[]): (repository: string) => boolean {
  const options = { nocase: true, dot: true, nonegate: true };
  const isIncluded = include.length === 0 ? () => true : picomatch([...include], options);
  const isExcluded = exclude.length === 0 ? () => false : picomatch([...exclude], options);
  return (repository) => isIncluded(repository) && !isExcluded(repository);
}
