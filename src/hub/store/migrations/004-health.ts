/**
 * Figures over time, figures since ever, and alerts.
 *
 * `metrics`: one row per span (see core/metrics/resolution), machine (`''`: all together) and its beginning. Counts are of that span; files,
 * bytes, pending and what the hub stores are as they were at its end. `latency` is a histogram (core/metrics/histogram), NULL when
 * nothing was measured.
 */
export const health = `
CREATE TABLE metrics (
  resolution INTEGER NOT NULL,
  machine TEXT NOT NULL,
  at INTEGER NOT NULL,
  span INTEGER NOT NULL,
  online INTEGER NOT NULL,
  syncs INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  conflicts INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  received INTEGER NOT NULL,
  files INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  most_pending INTEGER NOT NULL,
  archive INTEGER NOT NULL,
  versions INTEGER NOT NULL,
  latency TEXT,
  PRIMARY KEY (resolution, machine, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals (
  machine TEXT PRIMARY KEY,
  syncs INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  conflicts INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  raised_at INTEGER NOT NULL,
  cleared_at INTEGER,
  json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
