/** One piece of what was said or done, as the API has it, with everything unknown kept visible. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thinking'; readonly text: string }
  /** Thinking that the API encrypted. */
  | { readonly kind: 'redacted-thinking' }
  | { readonly kind: 'tool-use'; readonly id: string | null; readonly name: string; readonly input: unknown }
  | {
      readonly kind: 'tool-result';
      /** Of the `tool-use` that it answers. */
      readonly id: string | null;
      readonly isError: boolean;
      readonly parts: readonly Block[];
    }
  | { readonly kind: 'image' | 'document'; readonly mediaType: string; readonly source: BlockSource }
  /** A block of a type that is not known here; `name` is that type. */
  | { readonly kind: 'unknown'; readonly name: string };

/** Where an image or a document is. */
export type BlockSource =
  | { readonly kind: 'base64'; readonly data: string }
  | { readonly kind: 'text'; readonly text: string }
  /** An address or the id of an uploaded file: nothing that the transcript holds. */
  | { readonly kind: 'elsewhere'; readonly place: string };

/**
 * The blocks of `message.content`: a string, or a list of blocks. Total: what is no block becomes `unknown`, nothing is dropped and
 * nothing throws.
 */
export function blocksOf(content: unknown): Block[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.map(blockOf);
}

/** The text of `text` blocks, each on lines of its own. */
export function textOf(blocks: readonly Block[]): string {
  return blocks.flatMap((block) => (block.kind === 'text' ? [block.text] : [])).join('\n');
}

function blockOf(value: unknown): Block {
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (typeof value !== 'object' || value === null) return { kind: 'unknown', name: typeof value };
  const raw = value as Readonly<Record<string, unknown>>;
  switch (raw['type']) {
    case 'text':
      return { kind: 'text', text: string(raw['text']) };
    case 'thinking':
      return { kind: 'thinking', text: string(raw['thinking']) };
    case 'redacted_thinking':
      return { kind: 'redacted-thinking' };
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return { kind: 'tool-use', id: stringOrNull(raw['id']), name: string(raw['name']), input: raw['input'] ?? {} };
    case 'tool_result':
    case 'mcp_tool_result':
    case 'web_search_tool_result':
      return {
        kind: 'tool-result',
        id: stringOrNull(raw['tool_use_id']),
        isError: raw['is_error'] === true,
        parts: blocksOf(raw['content']),
      };
    case 'image':
    case 'document':
      return { kind: raw['type'], ...sourceOf(raw['source']) };
    default:
      return { kind: 'unknown', name: string(raw['type']) };
  }
}

function sourceOf(value: unknown): { mediaType: string; source: BlockSource } {
  const raw = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const mediaType = string(raw['media_type']);
  if (raw['type'] === 'base64') return { mediaType, source: { kind: 'base64', data: string(raw['data']) } };
  if (raw['type'] === 'text') return { mediaType, source: { kind: 'text', text: string(raw['data']) } };
  return { mediaType, source: { kind: 'elsewhere', place: string(raw['url']) || string(raw['file_id']) } };
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
