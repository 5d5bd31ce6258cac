import { noDestination, readDestination, type Destination } from '../client/destination.ts';
import { UsageError } from './failure.ts';

/**
 * `[user@]host[:port]` as a user writes it, see `readDestination`.
 * @throws {UsageError}
 */
export function parseDestination(text: string): Destination {
  const destination = readDestination(text);
  if (destination === null) throw new UsageError(noDestination(text));
  return destination;
}
