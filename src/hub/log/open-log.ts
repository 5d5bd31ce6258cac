import { pino, type Logger } from 'pino';
import { harmless, harmlessFields } from './harmless.ts';
import type { LogLevel } from './level.ts';
import { RotatingFile, type RotationLimits } from './rotating-file.ts';

/** The hub's log; a closed one drops what comes later. */
export interface HubLog {
  readonly logger: Logger;
  /** From now on only this and what is graver. */
  setLevel(level: LogLevel): void;
  /** Level and limits as the configuration has them; from the next line on. */
  setUp(settings: LogSettings): void;
  /** Closes the file. */
  close(): void;
}

/** What of a log can change while it is open. */
export interface LogSettings extends RotationLimits {
  readonly level: LogLevel;
}

const USUAL: LogSettings = { level: 'info', maxBytes: 10_000_000, keep: 4 };

/** Where the log goes; without settings: `info`, 10 MB, 4 files besides the current one. */
export interface LogOptions extends Partial<LogSettings> {
  /** See `hubPaths`: `<data>/logs/hub.log`. The folder is made (0700), the file too (0600). */
  readonly file: string;
  /** Told once when the log cannot be written, again after it could be: a full disk must not stop the hub. */
  readonly onTrouble: (reason: string) => void;
}

/**
 * Opens the hub's log: one JSON object per line. Keys, sizes and reasons only: what looks like a secret is hidden, texts are cut at 500
 * characters and bytes are replaced by their number, so that no line of a conversation gets here by accident (docs/sync.md section 10).
 * That goes for each line; what a child of the logger is bound to is not looked at, so it has none.
 */
export function openLog(options: LogOptions): HubLog {
  const settings = { ...USUAL, ...options };
  const file = new RotatingFile(options.file, settings, options.onTrouble);
  const logger = pino(
    {
      level: settings.level,
      base: null,
      formatters: { log: harmlessFields },
      // `err` is done with the other fields; pino's own way would add the whole stack.
      serializers: { err: (value: unknown) => value, msg: (message: unknown) => harmless(message) },
    },
    file,
  );
  const setLevel = (level: LogLevel): void => {
    logger.level = level;
  };
  return {
    logger,
    setLevel,
    setUp: (changed) => {
      setLevel(changed.level);
      file.setLimits(changed);
    },
    close: () => file.close(),
  };
}
