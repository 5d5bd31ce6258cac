/** What `gh api -i` prints: an HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; of several with one name the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Reads an HTTP answer as text; `null` when it does not begin like one. */
export function parseHttpAnswer(text: string): HttpAnswer | null {
  const found = /^HTTP\/[\d.]+ (\d{3})[^\n]*\n/.exec(text);
  if (found === null) return null;
  const headers = new Map<string, string>();
  let from = found[0].length;
  while (from < text.length) {
    const end = text.indexOf('\n', from);
    const line = text.slice(from, end === -1 ? text.length : end).replace(/\r$/, '');
    from = end === -1 ? text.length : end + 1;
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(found[1]), headers, body: text.slice(from) };
}
