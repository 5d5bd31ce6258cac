import type { SFTPWrapper } from 'ssh2';

/** Methods that are no requests, or that send theirs through the others. */
const NO_REQUESTS: ReadonlySet<string> = new Set([
  'constructor',
  'push',
  'end',
  'destroy',
  '_init',
  'createReadStream',
  'createWriteStream',
]);

/**
 * Makes a channel fail at once from its end on. ssh2 1.17 fails what is under way when a channel ends, but takes further requests,
 * sends them nowhere and never calls back: whoever asks a moment too late would wait forever.
 *
 * @param reason what late requests fail with.
 */
export function failAfterEnd(sftp: SFTPWrapper, reason: () => Error): void {
  let isOver = false;
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    const channel = sftp as unknown as Record<string, unknown>;
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(sftp))) {
      if (NO_REQUESTS.has(name)) continue;
      channel[name] = (...words: unknown[]): boolean => {
        const callback = words.findLast((word) => typeof word === 'function');
        if (callback !== undefined) process.nextTick(callback, reason());
        return false;
      };
    }
  };
  sftp.once('end', over);
  sftp.once('close', over);
  // Damaged answers: ssh2 ends the channel after it told of them.
  sftp.on('error', over);
}
