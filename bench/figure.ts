/** One measured number, with what it has to keep to. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | 'MB' | 'x' | '%' | 'B' | 'B/s';
  /** Upper limit in the same unit; `null` for a number that is only told. */
  readonly goal: number | null;
  /** `null` without a goal. */
  readonly pass: boolean | null;
}

/** A figure that has to stay at or below `goal`. */
export function figure(name: string, value: number, unit: Figure['unit'], goal: number | null = null): Figure {
  const rounded = Number(value.toFixed(value < 10 ? 2 : 1));
  return { name, value: rounded, unit, goal, pass: goal === null ? null : value <= goal };
}

/** The sample that `share` (0 to 1) of all samples do not exceed; 0 without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** What a scenario works with. */
export interface Scene {
  /** Temporary folder of its own; the caller removes it. */
  readonly folder: string;
  readonly quick: boolean;
  /** Windows of time as long as the goals say, where they are shortened else. */
  readonly long: boolean;
  /** Whether figures of this group are asked for. */
  readonly wants: (group: string) => boolean;
  /** Progress, for people. */
  readonly say: (text: string) => void;
  /** Command line that runs the product, without arguments. */
  readonly program: readonly string[];
}
