/** One broken promise. */
export interface Violation {
  /** Short name of the promise, e.g. `line-lost`. */
  readonly promise: string;
  readonly machine: string | null;
  /** Log, document or key. */
  readonly what: string;
  readonly detail: string;
}

/** One line for a report. */
export function describeViolation({ promise, machine, what, detail }: Violation): string {
  return `${promise}: ${what}${machine === null ? '' : ` on ${machine}`}: ${detail}`;
}

/** A line shortened for a report, with its uuid in front when it has one. */
export function shorten(text: string): string {
  const uuid = /"uuid":"([0-9a-f-]{36})"/.exec(text)?.[1];
  return `${uuid === undefined ? '' : `${uuid} `}${JSON.stringify(text.slice(0, 110))}`;
}
