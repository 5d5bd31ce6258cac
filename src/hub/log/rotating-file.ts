import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DestinationStream } from 'pino';
import { numbered, numbersOf } from './file-names.ts';

/** How long a file may grow, and what is kept of it. */
export interface RotationLimits {
  /** Size in bytes from which it is put aside as `.1`, `.1` as `.2`, and so on. */
  readonly maxBytes: number;
  /** How many files are kept besides the current one; from 1. */
  readonly keep: number;
}

/** Where the file is open, and which one it is. */
interface Opened {
  readonly out: number;
  readonly inode: bigint;
  readonly device: bigint;
}

/**
 * A file that lines are added to, and that is put aside when it is full. One plain write per line: nothing is buffered, so the
 * last words before a crash are there, and a full disk costs lines but no memory.
 *
 * Others may put the file aside or remove it, or its folder: before each line it is looked whether the name still means the file that is
 * open, and the next line goes to a new one if not.
 */
export class RotatingFile implements DestinationStream {
  readonly #file: string;
  readonly #onTrouble: (reason: string) => void;
  #limits: RotationLimits;
  #opened: Opened | null = null;
  #size = 0;
  /** What it may grow beyond its limit, because it could not be put aside: that is not tried at each line. */
  #grace = 0;
  /** Whether the file ends in half a line: a full disk, a crash. */
  #isTorn = false;
  #inTrouble = false;
  #closed = false;

  /** @param onTrouble told once when it cannot be written, again after it could be. */
  constructor(file: string, limits: RotationLimits, onTrouble: (reason: string) => void) {
    this.#file = file;
    this.#limits = limits;
    this.#onTrouble = onTrouble;
  }

  /** Other limits from the next line on. */
  setLimits(limits: RotationLimits): void {
    this.#limits = limits;
    this.#grace = 0;
  }

  /** Adds one line, newline included. Never throws: trouble is told. */
  write(line: string): void {
    if (this.#closed) return;
    let trouble: unknown = null;
    try {
      const bytes = Buffer.from(line);
      if (this.#opened !== null && !this.#isThere(this.#opened)) this.#letGo();
      this.#opened ??= this.#open();
      if (this.#size > 0 && this.#size + bytes.length > this.#limits.maxBytes + this.#grace) trouble = this.#rotate();
      this.#append(this.#opened, this.#isTorn ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes);
    } catch (error) {
      trouble = error;
      // Opened anew for the next line: what is wrong may be this handle, and half a line is seen then.
      this.#letGo();
    }
    if (trouble === null) this.#inTrouble = false;
    else this.#tell(trouble);
  }

  close(): void {
    this.#closed = true;
    this.#letGo();
  }

  #isThere({ inode, device }: Opened): boolean {
    const found = statSync(this.#file, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && found.ino === inode && found.dev === device;
  }

  #open(): Opened {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    const out = openSync(this.#file, 'a+', 0o600);
    const { size, ino: inode, dev: device } = fstatSync(out, { bigint: true });
    this.#size = Number(size);
    this.#grace = 0;
    this.#isTorn = this.#size > 0 && !endsLine(out, this.#size);
    return { out, inode, device };
  }

  #append({ out }: Opened, bytes: Buffer): void {
    const written = writeSync(out, bytes);
    this.#size += written;
    this.#isTorn = false;
    if (written < bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes of a line found room`);
  }

  /** @returns what was in the way, `null` when nothing was; then the line goes to the file that there is. */
  #rotate(): unknown {
    this.#letGo();
    let trouble: unknown = null;
    try {
      this.#putAside();
    } catch (error) {
      trouble = error;
    }
    this.#opened = this.#open();
    if (trouble !== null) this.#grace = this.#size + Math.ceil(this.#limits.maxBytes / 10) - this.#limits.maxBytes;
    return trouble;
  }

  #putAside(): void {
    const { keep } = this.#limits;
    const there = numbersOf(this.#file).toSorted((a, b) => b - a);
    for (const number of there) {
      const from = numbered(this.#file, number);
      if (number >= keep) rmSync(from, { force: true });
      else renameSync(from, numbered(this.#file, number + 1));
    }
  }

  #letGo(): void {
    if (this.#opened === null) return;
    const { out } = this.#opened;
    this.#opened = null;
    try {
      closeSync(out);
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    if (this.#inTrouble) return;
    this.#inTrouble = true;
    this.#onTrouble(
      `the log ${this.#file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function endsLine(file: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return readSync(file, last, 0, 1, size - 1) === 1 && last[0] === NEWLINE;
}

const NEWLINE = 0x0a;
