import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * What keeps this process from ending, for the message of a suite that is done and does not end: kinds of open handles, its child
 * processes, and the processes that hold the other end of one of its pipes. Linux; elsewhere only the kinds.
 * @returns one line each.
 */
export function leftOpen() {
  const lines = [`open: ${process.getActiveResourcesInfo().join(', ')}`];
  if (process.platform !== 'linux') return lines;
  const given = openFiles(process.pid, cameWithIt);
  const isOwn = (target) => /^(pipe|socket):/.test(target) && !given.includes(target);
  const mine = new Set(openFiles(process.pid).filter(isOwn));
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const shared = openFiles(pid).filter((target) => mine.has(target));
    const isChild = parentOf(pid) === process.pid;
    if (!isChild && shared.length === 0) continue;
    lines.push(`process ${pid}${isChild ? ', a child' : ''}: ${commandOf(pid)} ${shared.join(' ')}`);
  }
  return lines;
}

function openFiles(pid, which = () => true) {
  const descriptors = attempt(() => readdirSync(`/proc/${pid}/fd`), []).filter(which);
  return descriptors.map((fd) => attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ''));
}

/** Whether a descriptor is one of those that a process is started with: whoever started it shares them. */
function cameWithIt(fd) {
  return Number(fd) <= 2;
}

function parentOf(pid) {
  // The command in parentheses may hold anything; what follows its end does not.
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
}

function commandOf(pid) {
  return attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '')
    .replaceAll('\0', ' ')
    .trim();
}

/** A process may end while it is looked at. */
function attempt(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
