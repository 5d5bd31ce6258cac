import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * What keeps a process from ending, for the message of a suite that is done and does not end: where each of its threads is, its child
 * processes, and the processes that hold the other end of one of its pipes. Read from outside, so that it works for a process that
 * answers nothing any more. Nothing but on Linux.
 * @returns one line each.
 */
export function leftOpen(pid) {
  if (process.platform !== 'linux') return [];
  const lines = threadsOf(pid);
  const given = openFiles(pid, cameWithIt);
  const isOwn = (target) => /^(pipe|socket):/.test(target) && !given.includes(target);
  const own = new Set(openFiles(pid).filter(isOwn));
  for (const other of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== pid)) {
    const shared = openFiles(other).filter((target) => own.has(target));
    const isChild = parentOf(other) === pid;
    if (!isChild && shared.length === 0) continue;
    lines.push(`process ${other}${isChild ? ', a child' : ''}: ${commandOf(other)} ${shared.join(' ')}`);
  }
  return lines;
}

/** The threads of a process with their state and what they wait for in the kernel, each kind once. */
function threadsOf(pid) {
  const counts = new Map();
  for (const thread of attempt(() => readdirSync(`/proc/${pid}/task`), [])) {
    const of = (name) => attempt(() => readFileSync(`/proc/${pid}/task/${thread}/${name}`, 'utf8').trim(), '?');
    const state = /^State:\s+(\S+)/m.exec(of('status'))?.[1] ?? '?';
    const main = Number(thread) === pid ? 'main thread' : 'thread';
    const line = `${main} ${of('comm')}: ${state} ${of('wchan')}, system call ${of('syscall').split(' ')[0]}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) => (count === 1 ? line : `${line} (${count} times)`));
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
