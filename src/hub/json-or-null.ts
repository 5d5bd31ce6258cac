/** What a text says as JSON; `null` when it is none, or there is no text: for what can be had again from somewhere else. */
export function jsonOrNull(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
