import type { Clock } from '../../src/hub/ports/clock.ts';
import type { FileSystem } from '../../src/hub/ports/file-system.ts';
import { createMemoryFileSystem } from './memory-file-system.ts';
import type { Prng } from './prng.ts';
import type { Scheduler } from './scheduler.ts';
import { Link } from './transport.ts';
import type { Volume } from './volume.ts';

/**
 * One life of the hub's process: its clock, its randomness and its own disk. After `die` nothing it waited for ever comes:
 * no timer fires and no promise of its disk settles, which is what a killed process is. What it had asked the disk for just
 * then is done or not done.
 */
export class HubProcess {
  readonly clock: Clock;
  readonly random: { hex(bytes: number): string };
  /** The hub's data folder. */
  readonly disk: FileSystem;
  readonly #link: Link;
  #alive = true;

  constructor(options: { scheduler: Scheduler; prng: Prng; volume: Volume; life: number }) {
    const { scheduler, prng, volume, life } = options;
    this.clock = scheduler.clock(
      `hub#${life}`,
      () => 0,
      () => this.#alive,
    );
    this.random = prng.fork(`random of life ${life}`);
    this.#link = new Link({
      scheduler,
      prng: prng.fork(`disk of life ${life}`),
      label: 'hub disk',
      kind: 'local',
      delayMs: 0,
    });
    this.disk = createMemoryFileSystem(volume, '', this.#link.execute);
  }

  get alive(): boolean {
    return this.#alive;
  }

  die(): void {
    this.#alive = false;
    this.#link.hubDied();
  }
}
