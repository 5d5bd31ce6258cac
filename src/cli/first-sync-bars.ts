import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { HubClient } from '../client/connect.ts';
import type { FirstSyncProgress } from '../protocol/status.ts';
import { bytes } from '../client/figures.ts';
import type { Output } from './output.ts';
import { plainLine } from '../client/plain-text.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Shows a bar per machine while its first sync runs, on stderr and only on a terminal.
 * @returns a function that takes the bars away again.
 */
export function showFirstSync(hub: HubClient, out: Output, world: Surroundings): () => void {
  if (!out.interactive) return () => undefined;
  const bars = new Map<string, SingleBar>();
  const screen = new MultiBar(
    {
      stream: world.stderr,
      clearOnComplete: true,
      hideCursor: true,
      format: '{machine} {bar} {percentage}% {value}/{total} files, {size}',
    },
    Presets.shades_classic,
  );
  const unsubscribe = hub.onNotification('sync/progress', (progress: FirstSyncProgress) => {
    const payload = { machine: plainLine(progress.machine), size: bytes(progress.bytesDone) };
    const bar = bars.get(progress.machine) ?? screen.create(progress.filesTotal, 0, payload);
    bars.set(progress.machine, bar);
    bar.setTotal(progress.filesTotal);
    bar.update(progress.filesDone, payload);
    if (progress.phase === 'done') {
      bar.stop();
      screen.remove(bar);
      bars.delete(progress.machine);
    }
  });
  return () => {
    unsubscribe();
    screen.stop();
  };
}
