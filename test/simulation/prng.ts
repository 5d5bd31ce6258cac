/**
 * Seeded pseudo-random numbers (sfc32). Small and fast; quality is ample for choosing what a simulated world does.
 * Every actor draws from a stream of its own (`fork`), so that a change in one actor's decisions does not shift the others.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(seed: string | number) {
    const text = String(seed);
    this.#a = hash32(text, 0x9e3779b9);
    this.#b = hash32(text, 0x243f6a88);
    this.#c = hash32(text, 0xb7e15162);
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** An independent stream that depends on this one's current state and on `label`. */
  fork(label: string): Prng {
    return new Prng(`${label}/${this.uint32()}/${this.uint32()}`);
  }

  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1). */
  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** Integer in [from, to], both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.float() * (to - from + 1));
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.float() < p;
  }

  /** One of `items`. @throws {RangeError} when there are none. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.int(0, items.length - 1)] as T;
  }

  /** One of the names of `weights`, in proportion to its weight; `null` when all weights are 0. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K | null {
    const entries = Object.entries(weights) as [K, number][];
    const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
    if (total <= 0) return null;
    let at = this.float() * total;
    for (const [name, weight] of entries) {
      at -= weight;
      if (at < 0) return name;
    }
    return entries.at(-1)?.[0] ?? null;
  }

  /** Waiting time with mean `mean` (exponential, cut at 8 times the mean), in whole milliseconds, at least 1. */
  gap(mean: number): number {
    return Math.max(1, Math.round(Math.min(8, -Math.log(1 - this.float())) * mean));
  }

  /** `bytes` pseudo-random bytes as lower-case hex. */
  hex(bytes: number): string {
    let text = '';
    for (let i = 0; i < bytes; i++) text += (this.uint32() >>> 24).toString(16).padStart(2, '0');
    return text;
  }

  /** A random uuid (version 4 layout). */
  uuid(): string {
    const h = this.hex(16);
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20)}`;
  }
}

/** FNV-1a over the UTF-16 units of `text`, started from `start`. */
export function hash32(text: string, start = 0x811c9dc5): number {
  let h = start >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}
