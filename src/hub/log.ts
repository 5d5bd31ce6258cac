import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { pino, type DestinationStream, type Logger } from 'pino';

/** Levels, from silent to loud. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** Name of a level. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The hub's log; a closed one drops what comes later. */
export interface HubLog {
  readonly logger: Logger;
  /** Closes the file. */
  close(): void;
}

/** Where the log goes and how long it may grow. */
export interface LogOptions {
  /** See `hubPaths`: `<data>/logs/hub.log`. The folder is made (0700), the file too (0600). */
  readonly file: string;
  readonly level?: LogLevel;
  /** Size in bytes from which the file is put aside as `.1`, `.1` as `.2`, and so on. Default 10 MB. */
  readonly maxBytes?: number;
  /** How many files are kept besides the current one. Default 4. */
  readonly keep?: number;
  /** Told once when the log cannot be written, again after it could be: a full disk must not stop the hub. */
  readonly onTrouble: (reason: string) => void;
}

/**
 * Opens the hub's log: one JSON object per line. Keys, sizes and reasons only: texts are cut at 500 characters and bytes are
 * replaced by their number, so that no line of a conversation gets here by accident (docs/sync.md section 10).
 */
export function openLog(options: LogOptions): HubLog {
  const file = new RotatingFile(options);
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      formatters: { log: withoutContent },
      serializers: { err: describeError },
    },
    file,
  );
  return { logger, close: () => file.close() };
}

const LONGEST_TEXT = 500;

function withoutContent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, harmless(value)]));
}

function harmless(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
  return value;
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return cut(String(error));
  const { name, message, stack } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return {
    name,
    message: cut(message),
    ...code,
    at: stack
      ?.split('\n    at ')
      .slice(1, 5)
      .map((line) => line.trim()),
  };
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}... (${text.length} characters)`;
}

/**
 * A file that lines are added to, and that is put aside when it is full. One plain write per line: nothing is buffered, so the
 * last words before a crash are there, and a full disk costs lines but no memory.
 */
class RotatingFile implements DestinationStream {
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  readonly #onTrouble: (reason: string) => void;
  #out: number | null = null;
  #size = 0;
  #inTrouble = false;
  #closed = false;

  constructor(options: LogOptions) {
    this.#file = options.file;
    this.#maxBytes = options.maxBytes ?? 10_000_000;
    this.#keep = options.keep ?? 4;
    this.#onTrouble = options.onTrouble;
  }

  write(line: string): void {
    if (this.#closed) return;
    try {
      const bytes = Buffer.from(line);
      this.#out ??= this.#open();
      if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) this.#out = this.#rotate();
      this.#size += writeSync(this.#out, bytes);
      this.#inTrouble = false;
    } catch (error) {
      this.#tell(error);
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#out !== null) closeSync(this.#out);
    this.#out = null;
  }

  #open(): number {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    const out = openSync(this.#file, 'a', 0o600);
    this.#size = fstatSync(out).size;
    return out;
  }

  #rotate(): number {
    if (this.#out !== null) closeSync(this.#out);
    this.#out = null;
    this.#putAside();
    return this.#open();
  }

  #putAside(): void {
    rmSync(`${this.#file}.${this.#keep}`, { force: true });
    for (let number = this.#keep - 1; number >= 0; number -= 1) {
      const from = number === 0 ? this.#file : `${this.#file}.${number}`;
      if (existsSync(from)) renameSync(from, `${this.#file}.${number + 1}`);
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
