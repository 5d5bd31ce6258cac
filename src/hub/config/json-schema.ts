import { z } from 'zod';
import { configSchema } from './schema.ts';

/**
 * JSON Schema (draft 7, as VS Code reads it) of what may be written in the configuration file, with descriptions.
 * Generated, so that what editors complete and what the hub accepts cannot differ.
 */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7', reused: 'inline' });
  return { ...schema, title: 'Claude Sync Manager', allowTrailingCommas: true, allowComments: true };
}
