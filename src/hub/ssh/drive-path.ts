/** `/C:/Users` as SFTP writes it -> `C:/Users` as the rest of the hub does; a path without a drive as it is. */
export function drivePath(path: string): string {
  return /^\/?[A-Za-z]:(?:$|[/\\])/.test(path) ? path.replaceAll('\\', '/').replace(/^\//, '') : path;
}

/** The other way round: what SFTP is asked for. */
export function wirePath(path: string): string {
  return /^[A-Za-z]:(?:$|[/\\])/.test(path) ? `/${path.replaceAll('\\', '/')}` : path;
}
