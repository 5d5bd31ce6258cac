import { z } from 'zod';

/** Name of a machine as the configuration spells it. */
export const MachineNameSchema = z.string().min(1).max(255);

/** Machine-independent name of a file, see docs/sync.md section 1. */
export const KeySchema = z.string().min(1).max(4096);

/** Milliseconds since the Unix epoch. */
export const UnixMsSchema = z.number();

/** Operating system of a machine; `unknown` until the hub has reached it once. */
export const OsSchema = z.enum(['linux', 'macos', 'windows', 'unknown']);

/** Largest content that travels in one message, in bytes before encoding; what is larger arrives cut off. */
export const CONTENT_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Bytes of a file inside a message. `utf8` only when decoding and encoding give the same bytes again,
 * so that nothing is changed on the way; everything else is `base64`.
 */
export const ContentSchema = z.object({
  encoding: z.enum(['utf8', 'base64']),
  data: z.string(),
});
export type Content = z.infer<typeof ContentSchema>;

/** Content that may have been cut off at `CONTENT_LIMIT_BYTES`; `bytes` is the true size. */
export const ExcerptSchema = ContentSchema.extend({
  bytes: z.number(),
  truncated: z.boolean(),
});
export type Excerpt = z.infer<typeof ExcerptSchema>;

/** No parameters. Unknown ones are refused like everywhere: a misspelt `preview` must never be ignored. */
export const NoParams = z.strictObject({});
