/**
 * The first set of tables. The names `files`, `sync_log`, `machine_status` and `conflicts` are a contract with
 * people who read the database with their own tools.
 *
 * Times are Unix ms and REAL, because an mtime may have a fraction that has to compare equal later.
 */
export const firstTables = `
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE heads (
  key TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('file', 'tombstone')),
  size INTEGER NOT NULL,
  hash TEXT,
  mtime REAL NOT NULL,
  executable INTEGER NOT NULL,
  origin TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE segments (key TEXT PRIMARY KEY, hashes BLOB NOT NULL) STRICT;

-- One row per key and machine. The columns seq to cursor are the base; kind is NULL when there is none.
CREATE TABLE files (
  machine TEXT NOT NULL,
  key TEXT NOT NULL,
  path TEXT NOT NULL,
  seq INTEGER,
  kind TEXT,
  hash TEXT,
  size INTEGER,
  mtime REAL,
  inode TEXT,
  executable INTEGER,
  cursor TEXT,
  evicted_seq INTEGER,
  state TEXT NOT NULL,
  reason TEXT,
  PRIMARY KEY (machine, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_path ON files (machine, path);

CREATE TABLE versions (
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  machine TEXT NOT NULL,
  at REAL NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  reason TEXT NOT NULL,
  executable INTEGER NOT NULL,
  mtime REAL NOT NULL,
  PRIMARY KEY (key, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX versions_by_content ON versions (sha256);
CREATE INDEX versions_by_age ON versions (at, key, version);

CREATE TABLE conflicts (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  at REAL NOT NULL,
  status TEXT NOT NULL,
  base_sha256 TEXT,
  sides TEXT NOT NULL,
  strategy TEXT NOT NULL,
  winner TEXT,
  resolved_at REAL,
  resolution TEXT
) STRICT;
CREATE INDEX conflicts_by_key ON conflicts (key);

CREATE TABLE sync_log (
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  key TEXT NOT NULL,
  source TEXT,
  target TEXT,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  duration_ms REAL NOT NULL,
  detail TEXT
) STRICT;
CREATE INDEX sync_log_by_time ON sync_log (at);

CREATE TABLE machine_status (
  name TEXT PRIMARY KEY,
  replica_id TEXT,
  claude_dir TEXT,
  home TEXT,
  os TEXT,
  status TEXT NOT NULL,
  reason TEXT,
  last_seen_at REAL,
  last_sync_at REAL,
  paused INTEGER NOT NULL,
  quarantine TEXT,
  paired INTEGER NOT NULL,
  connection_epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE intents (
  id INTEGER PRIMARY KEY,
  machine TEXT NOT NULL,
  path TEXT NOT NULL,
  temp TEXT NOT NULL,
  undo TEXT NOT NULL,
  at REAL NOT NULL
) STRICT;

CREATE TABLE undo (
  machine TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  size INTEGER NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (machine, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE projects (
  id TEXT PRIMARY KEY,
  remotes TEXT NOT NULL,
  places TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE approvals (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  machine TEXT NOT NULL,
  at REAL NOT NULL,
  sha256 TEXT,
  bytes INTEGER NOT NULL,
  executable INTEGER NOT NULL,
  status TEXT NOT NULL
) STRICT;
`;
