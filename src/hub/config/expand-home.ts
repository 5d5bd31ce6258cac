/**
 * `~` and `~/...` with the home folder put in; anything else as it is. `~user` is not known and stays literal.
 * `home` is the one of the machine that the path belongs to.
 */
export function expandHome(path: string, home: string): string {
  if (path === '~') return home;
  if (path.startsWith('~/') || path.startsWith('~\\')) return `${home.replace(/[/\\]$/, '')}/${path.slice(2)}`;
  return path;
}
