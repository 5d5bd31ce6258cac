/** Where a value lies in a line: byte offsets, `to` exclusive. */
export interface ValueRange {
  readonly from: number;
  readonly to: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Where the string value of the top-level member `name` lies (with its quotes) in a line that is one valid JSON object in
 * UTF-8. Of a name that is said twice the last one counts, as for every JSON parser; `null` when there is none or when its
 * value is no string.
 *
 * Works on bytes, so that the rest of the line can be kept as it is: parsing and writing it again would change numbers,
 * escapes and spaces. In UTF-8 no byte of a longer character looks like a quote or a backslash.
 */
export function findTopLevelValue(line: Buffer, name: string): ValueRange | null {
  let depth = 0;
  let found: ValueRange | null = null;
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at];
    if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === QUOTE) {
      const end = endOfString(line, at);
      const colon = skipBlanks(line, end);
      if (depth === 1 && line[colon] === COLON && JSON.parse(line.toString('utf8', at, end)) === name) {
        const value = skipBlanks(line, colon + 1);
        found = line[value] === QUOTE ? { from: value, to: endOfString(line, value) } : null;
      }
      at = end - 1;
    }
  }
  return found;
}

/** The offset behind the closing quote of the string that begins at `from`. */
function endOfString(line: Buffer, from: number): number {
  for (let at = from + 1; at < line.length; at += 1) {
    if (line[at] === BACKSLASH) at += 1;
    else if (line[at] === QUOTE) return at + 1;
  }
  return line.length;
}

function skipBlanks(line: Buffer, from: number): number {
  let at = from;
  while (line[at] === 0x20 || line[at] === 0x09 || line[at] === 0x0a || line[at] === 0x0d) at += 1;
  return at;
}
