import { HubError } from '../protocol/errors.ts';
import type { HubClient } from './connect.ts';
import { waitForExit } from './processes.ts';

/** How long a hub may take to put everything in order and end, in ms. */
const STOP_MS = 30_000;

/**
 * Asks a hub of this computer to stop, and waits until its process has ended: only then may another one have its data folder.
 * @returns its pid.
 * @throws {HubError} `timed-out` when it is still there; it was asked, and ends when it is done.
 */
export async function stopHub(hub: HubClient, timeoutMs = STOP_MS): Promise<number> {
  const { pid } = hub.hello;
  try {
    await hub.request('hub/shutdown', {});
  } catch (error) {
    // A hub that is quick to stop may be gone before its answer is; whether its process ends is looked at below.
    if (!HubError.is(error, 'disconnected', 'shutting-down')) throw error;
  }
  if (await waitForExit(pid, timeoutMs)) return pid;
  throw new HubError('timed-out', `the hub (pid ${pid}) is still stopping after ${timeoutMs / 1000} s`, {
    unchanged: 'It was asked to stop, and will end when it is done.',
    next: 'Its log says what it is doing.',
  });
}
