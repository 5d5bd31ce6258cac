/** What is known of pull requests, and what conversations say about theirs. Both can be asked for again. */
export const pulls = `
CREATE TABLE pulls (
  id TEXT NOT NULL PRIMARY KEY,
  repository TEXT NOT NULL,
  number INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE session_marks (
  session TEXT NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
