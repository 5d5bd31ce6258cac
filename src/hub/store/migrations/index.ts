import { firstTables } from './001-first-tables.ts';
import { segmentCoverage } from './002-segment-coverage.ts';
import { pulls } from './003-pulls.ts';
import { health } from './004-health.ts';

/**
 * The steps that bring a database of any age to today's tables, in order; step n makes `user_version` n + 1.
 * A step that was ever released is never changed: a new one is added behind it.
 */
export const MIGRATIONS: readonly string[] = [firstTables, segmentCoverage, pulls, health];
