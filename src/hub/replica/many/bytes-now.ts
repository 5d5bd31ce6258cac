import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Two pieces of memory for a thread that copies: what is written, and what is read back. */
export class CopyBuffers {
  readonly written = Buffer.allocUnsafeSlow(1024 * 1024);
  readonly readBack = Buffer.allocUnsafeSlow(1024 * 1024);
}

/** Runs `task` on an open file, which is closed whatever happens. */
export function withOpen<T>(absolute: string, flags: number, task: (descriptor: number) => T): T {
  const descriptor = openSync(absolute, flags, 0o600);
  try {
    return task(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Fills `buffer` from `position` of the file, or as much of it as there is. @returns how many bytes. */
export function readNow(descriptor: number, buffer: Buffer, length: number, position: number): number {
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, buffer, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** Writes the first `length` bytes of `buffer` behind what was written before. */
export function writeNow(descriptor: number, buffer: Buffer, length: number): void {
  for (let written = 0; written < length;) written += writeSync(descriptor, buffer, written, length - written);
}
