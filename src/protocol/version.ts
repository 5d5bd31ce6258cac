import { z } from 'zod';
import { NoParams, UnixMsSchema } from './shared.ts';

/**
 * Version of the protocol between the hub and its clients. It counts up when an old client could misunderstand a new hub
 * (or the other way round); new methods and new fields do not change it, clients see those in `capabilities`.
 */
export const PROTOCOL_VERSION = 1;

/** First request on every connection; anything else before it is refused. */
export const HelloParams = z.strictObject({
  protocol: z.number().int(),
  /** Who asks, for the hub's log: `cli`, `extension`, ... */
  client: z.string().max(100),
  /** Version of the client's package. */
  version: z.string().max(100),
});

/** Who answers. */
export const HelloResult = z.object({
  protocol: z.number().int(),
  version: z.string(),
  pid: z.number().int(),
  startedAt: UnixMsSchema,
  /** Names of methods and notifications that this hub offers. */
  capabilities: z.array(z.string()),
});
export type HelloResult = z.infer<typeof HelloResult>;

/** Where the hub lives: clients never guess the socket path. */
export const WhereParams = NoParams;
export const WhereResult = z.object({
  socket: z.string(),
  dataDir: z.string(),
  /** Configuration file; `null` while the hub runs on its embedded default. */
  config: z.string().nullable(),
  pid: z.number().int(),
  version: z.string(),
  /** The service that starts it again when it ends, as it calls itself; left out where nothing does. */
  service: z.string().optional(),
});
export type WhereResult = z.infer<typeof WhereResult>;

/** Answered before the hub begins to stop; the connection closes when it is done. */
export const ShutdownParams = NoParams;
export const ShutdownResult = z.object({ pid: z.number().int() });
export type ShutdownResult = z.infer<typeof ShutdownResult>;

/** Reads the configuration file again. A faulty one is refused with error `config`, and the last good one stays in force. */
export const ReloadParams = NoParams;
export const ReloadResult = z.object({
  config: z.string().nullable(),
  /** One sentence per difference that was put into force; empty when nothing changed. */
  changes: z.array(z.string()),
});
export type ReloadResult = z.infer<typeof ReloadResult>;
