import { v5 } from 'uuid';

/** Namespace of the uuids of forks. Never change it: the same divergence has to lead to the same fork on every run. */
const FORK_NAMESPACE = 'b0c1a6f2-7f3e-4d0a-9a53-5e1d6c2f8b47';

/**
 * Uuid of the session that a machine's branch becomes when it cannot be merged (docs/sync.md section 4). A function of
 * the divergence alone, so after a crash, a rebuild or a second look the branch lands in the same fork.
 *
 * @param session uuid of the session that diverged.
 * @param machine machine whose branch it is.
 * @param lastCommonUuid last uuid in the common prefix; `null` when nothing is common.
 */
export function forkUuid(session: string, machine: string, lastCommonUuid: string | null): string {
  return v5(JSON.stringify([session, machine, lastCommonUuid]), FORK_NAMESPACE);
}

/**
 * Moves a line to another session: the value of `sessionId` at the top level becomes `to` where it is `from`. Every
 * other byte stays, whatever the line's spelling, so a fork's lines differ from their originals in nothing else. Lines
 * of other sessions and lines that are no JSON object come back unchanged (the same buffer).
 *
 * @param line with or without its newline.
 */
export function rewriteSessionId(line: Buffer, from: string, to: string): Buffer {
  if (!isJsonObject(line)) return line;
  const spans = sessionIdSpans(line, from);
  if (spans.length === 0) return line;
  const replacement = Buffer.from(JSON.stringify(to));
  const parts: Buffer[] = [];
  let copied = 0;
  for (const [start, end] of spans) {
    parts.push(line.subarray(copied, start), replacement);
    copied = end;
  }
  parts.push(line.subarray(copied));
  return Buffer.concat(parts);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Byte ranges, quotes included, of the strings at depth 1 that are a `sessionId` equal to `value`. `json` has to be a
 * valid object: then every quote outside a string starts one, and bytes of multi-byte characters are never mistaken for
 * ASCII.
 */
function sessionIdSpans(json: Buffer, value: string): [start: number, end: number][] {
  const spans: [number, number][] = [];
  let depth = 0;
  let expectsName = true;
  let name = '';
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
        break;
      case COMMA:
        if (depth === 1) expectsName = true;
        break;
      case COLON:
        if (depth === 1) expectsName = false;
        break;
      case QUOTE: {
        const end = stringEnd(json, at);
        if (depth === 1) {
          if (expectsName) name = decodeString(json, at, end);
          else if (name === 'sessionId' && decodeString(json, at, end) === value) spans.push([at, end]);
        }
        at = end - 1;
        break;
      }
    }
  }
  return spans;
}

/** Offset just after the quote that closes the string opened at `open`. */
function stringEnd(json: Buffer, open: number): number {
  let close = json.indexOf(QUOTE, open + 1);
  while (isEscaped(json, close)) close = json.indexOf(QUOTE, close + 1);
  return close + 1;
}

/** Whether an odd number of backslashes precedes `at`. */
function isEscaped(json: Buffer, at: number): boolean {
  let before = at;
  while (json[before - 1] === BACKSLASH) before--;
  return (at - before) % 2 === 1;
}

function decodeString(json: Buffer, start: number, end: number): string {
  return JSON.parse(json.toString('utf8', start, end)) as string;
}

function isJsonObject(line: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch (error) {
    // Damage is carried along as it is; a repair could only make it somebody else's line.
    if (error instanceof Error) return false;
    throw error;
  }
}
