/**
 * Seeds among those of `simulation.test.ts` that are known to fail: open faults, not accepted ones (docs/status.md tells what they
 * show). A run is the same to the byte every time, so any other failing seed is a new fault. A seed that passes again is to be taken
 * out; the aim is an empty list.
 */
export const OPEN_SEEDS: readonly number[] = [111, 209, 279, 298, 316, 332, 340, 430, 508];
