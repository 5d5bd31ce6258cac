/** The next step for something that is not carried, from the reason that the replica gave for it. */
export function noticeFix(reason: string): string {
  const harmless = 'nothing else is held up by it';
  if (/symlink|link/i.test(reason))
    return `Links are not followed: put the file itself there, or name it in followRoots if it is a link on purpose; ${harmless}.`;
  if (/not a regular file/.test(reason))
    return `Pipes, sockets and devices are not synced: remove it if nobody needs it; ${harmless}.`;
  if (/permit|denied|cannot be (looked at|listed|read)/.test(reason)) return `Give the hub read access; ${harmless}.`;
  if (/which project/.test(reason)) return `It goes on when a session of that project is there; ${harmless}.`;
  return `Rename or remove it; ${harmless}.`;
}
