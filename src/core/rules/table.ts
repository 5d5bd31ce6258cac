import type { DeleteKind, MergeKind, PathClass, SyncKind } from '../domain.ts';

/** Names that `sync.include` of the configuration takes: classes of files that are off unless the user asks for them. */
export const OPT_INS = ['settings', 'tasks', 'file-history', 'workflows', 'hooks', 'loop'] as const;

/** One of `OPT_INS`. */
export type OptIn = (typeof OPT_INS)[number];

/** One row of the path table. */
export interface PathRow {
  /** picomatch glob with `dot`, on the path below claudeDir. */
  readonly glob: string;
  readonly class: PathClass;
  readonly sync: SyncKind;
  /** `null` where nothing is ever carried. */
  readonly merge: MergeKind | null;
  readonly delete: DeleteKind | null;
  /** What it is, in a few words for the user; may be empty. */
  readonly note: string;
  /** Claude Code acts on it, so from a machine with trust `data` it waits for approval (sync.md section 10). */
  readonly executableContent: boolean;
  /** The opt-in that turns a `no` row on. */
  readonly optIn: OptIn | null;
}

/**
 * What Claude Code keeps below claudeDir and what becomes of it (sync.md section 4). The order is the rule: the first row that
 * matches decides, and the last row denies whatever nobody knew about when this was written.
 */
export const PATH_TABLE: readonly PathRow[] = [
  ...never('secret', 'sign-in data', '**/.credentials*'),
  ...never('secret', 'environment with secrets', '**/.env', '**/.env.*'),
  ...never('secret', 'private key', '**/*.pem', '**/*.key', '**/id_rsa*', '**/id_ed25519*', '**/id_ecdsa*'),
  ...never('secret', 'passwords of tools', '**/.netrc', '**/.npmrc'),
  ...never('local', 'git repository', '**/.git/**'),
  ...never('cache', 'rebuilt by its tool', '**/node_modules/**', '**/__pycache__/**', '**/.venv/**'),
  ...never('local', 'work files of the sync itself', '.claude-sync/**', '**/.claude-sync*'),
  ...never('local', 'work file of an editor', '**/*~', '**/.*.sw?', '**/.#*', '**/#*#', '**/4913'),
  ...never('local', 'litter of the desktop', '**/.DS_Store', '**/Thumbs.db', '**/desktop.ini'),
  ...never('local', 'temporary file', '**/*.tmp', '**/*.tmp.*'),

  ...never('secret', 'OAuth tokens', '.credentials.json'),
  ...never('secret', 'keys of this device', '.device-keys.json'),
  ...never('secret', 'sign-in data', 'hfi-auth.json', '.session_ingress_token'),
  ...never('secret', 'tokens of running sessions', 'sessions/*.key', 'ide/**'),
  ...never('secret', 'copies of .claude.json', 'backups/**'),
  ...never('secret', 'account and API keys', '../.claude.json', '../.claude.json.*', '../.claude-*.json'),
  ...never('secret', 'account and API keys', '.claude*.json*', '.config.json'),
  ...never('local', 'lock', '*.lock', '*.lock/**', '.*.lock*', 'projects/**/*.lock', 'tasks/**/.lock', 'plans/*.lock'),
  ...never('local', 'lock', '.oauth_refresh.lock*'),
  ...never('local', 'temporary file', '*.tmp*', 'projects/**/*.tmp.*', 'tasks/**/*.tmp*', 'plans/*.tmp*'),

  ...never('local', 'absolute paths of this machine', 'projects/*/.session-aliases'),
  ...never('local', 'remote control of this machine', 'projects/*/bridge-pointer.json'),
  ...never('cache', 'tip of a cloud session', 'projects/*/*.ccr-tip.json'),
  ...never('cache', 'state before compaction', 'projects/*/*.precompact.json'),
  ...never('local', 'marker of the desktop app', 'projects/*/*.desktop-released.json'),
  ...never('local', 'state of cloud folders', 'projects/*/*.dir-sync*.json', 'projects/*/*.cloud-worktrees.json'),
  ...off(
    'local',
    'copy that Claude Code set aside',
    'projects/*/*.jsonl.superseded-*',
    'projects/*/*.orphaned-*.jsonl',
  ),
  ...never('cache', 'old index of sessions', 'projects/*/sessions-index.json'),
  ...never('cache', 'byte offsets of the local file', 'projects/*/*/resume-head.jsonl'),
  ...never('cache', 'tip of a cloud session', 'projects/*/*/ccr-tip.json'),
  ...never('cache', 'state before compaction', 'projects/*/*/precompact.json'),
  ...never('cache', 'what was sent already', 'projects/*/*/sent-prefix.json'),
  ...never('cache', 'dump of a classifier', 'projects/*/*/auto-mode-*'),
  ...off('cache', 'terminal recording', 'projects/*/*/*.cast'),
  ...never('local', 'running tasks', 'projects/*/*/mcp-tasks/**'),
  ...off('local', 'handles of cloud agents', 'projects/*/*/remote-agents/**'),
  ...carried('sidecar', 'lww', 'evict', 'title of a session', 'projects/*/*/custom-title.json'),
  ...carried('sidecar', 'lww', 'evict', 'archived flag of a session', 'projects/*/*/archived.json'),
  ...carried('sidechain', 'log', 'evict', 'log of subagents', 'projects/*/*/subagents/**/journal.jsonl'),
  ...carried('sidechain', 'log', 'evict', 'conversation of a subagent', 'projects/*/*/subagents/**/*.jsonl'),
  ...carried('sidecar', 'lww', 'evict', 'facts of a subagent', 'projects/*/*/subagents/**/*.meta.json'),
  ...carried('sidecar', 'lww', 'evict', 'workflow runs', 'projects/*/*/workflows/**'),
  ...carried('sidecar', 'lww', 'evict', 'long tool output', 'projects/*/*/tool-results/**'),
  ...off('local', 'temporary proposals', 'projects/*/memory/proposals/**'),
  ...carried('document', 'text', 'tombstone', 'memory of a project', 'projects/*/memory/**'),
  ...never('cache', 'rebuilt when needed', 'projects/*/tiny_memory/**', 'projects/*/bagel/**'),
  ...never('cache', 'snapshots for the cloud', 'projects/*/cloud-snapshots/**'),
  ...off('cache', 'downloads', 'projects/*/connector-downloads/**'),
  ...carried('transcript', 'log', 'evict', 'session', 'projects/*/????????-????-????-????-????????????.jsonl'),
  ...carried('sidechain', 'log', 'evict', 'subagent of the older layout', 'projects/*/agent-*.jsonl'),
  ...off('local', 'unknown project data', 'projects/**'),
  ...carried('history', 'union', 'evict', 'prompts', 'history.jsonl'),
  ...never('local', 'temporary file', 'history.jsonl.*'),
  ...carried('blob', 'lww', 'evict', 'pasted text of prompts', 'paste-cache/*.txt'),
  ...carried('document', 'text', 'evict', 'plan', 'plans/*.md'),
  ...optIn('file-history', 'blob', 'lww', 'evict', 'copies of edited source files', 'file-history/**'),
  ...optIn('tasks', 'blob', 'lww', 'evict', 'task lists', 'tasks/**'),

  ...executable(carried('document', 'text', 'tombstone', 'instructions', 'CLAUDE.md', 'rules/**')),
  ...carried('document', 'text', 'tombstone', 'memory of agents', 'agent-memory/**'),
  ...never('cache', 'synced by the account', 'skills/.trash/**'),
  ...never('local', 'synced by the account', 'skills/.*/**', 'skills/manifest.json'),
  ...executable(carried('document', 'text', 'tombstone', 'skill', 'skills/**')),
  ...executable(carried('document', 'text', 'tombstone', 'agent', 'agents/**')),
  ...executable(carried('document', 'text', 'tombstone', 'command', 'commands/**')),
  ...executable(carried('document', 'text', 'tombstone', 'output style', 'output-styles/**')),
  ...executable(optIn('workflows', 'document', 'text', 'tombstone', 'scripts', 'workflows/**')),
  ...executable(optIn('hooks', 'document', 'text', 'tombstone', 'scripts', 'hooks/**')),
  ...carried('blob', 'lww', 'tombstone', 'theme', 'themes/*.json'),
  ...carried('blob', 'lww', 'tombstone', 'keys differ between systems', 'keybindings.json'),
  ...optIn('loop', 'document', 'text', 'tombstone', 'standing prompt', 'loop.md'),
  ...optIn('settings', 'settings', 'keys', 'tombstone', 'only harmless keys of it', 'settings.json'),

  ...never('local', 'settings of this machine', 'settings.local.json'),
  ...never('local', 'checkouts with absolute paths', 'plugins/**'),
  ...never('local', 'state of running sessions', 'teams/**', 'sessions/**', 'shell-snapshots/**', 'session-env/**'),
  ...never('local', 'state of running sessions', 'jobs/**', 'daemon/**', 'daemon.*'),
  ...never('local', 'installed on this machine', 'chrome/**', 'local/**', 'ccr/**', 'ccr-home-seed.json', 'systemd/**'),
  ...never(
    'local',
    'state of this machine',
    'scratch/**',
    'state/**',
    'downloads/**',
    'uploads/**',
    'file-transfers/**',
  ),
  ...never('local', 'state of this machine', 'remote-control/**', 'remote/**', 'bridge-spawn/**', 'storage-v2/**'),
  ...never('local', 'state of this machine', 'seed-admin/**', 'dev-mods/**', 'cowork_plugins/**', 'local-settings/**'),
  ...never('local', 'state of this machine', 'project-settings/**', 'server-sessions.json', 'antproto.json'),
  ...never('local', 'feedback to Anthropic', 'feedback/**', 'feedback-bundles/**', 'shares/**'),
  ...never('local', 'marker of this machine', '.last-*', '.npm-cache-cleanup', '.version-cleanup'),
  ...never('local', 'marker of this machine', '.deep-link-register-failed'),
  ...never('cache', 'diagnostics', 'debug/**', 'telemetry/**', 'traces/**', 'startup-perf/**', 'dump-prompts/**'),
  ...never('cache', 'diagnostics', 'api-dumps/**', 'statsig/**', 'logs/**'),
  ...never('cache', 'of older versions', 'todos/**', 'access-audit/**'),
  ...never('cache', 'rebuilt when needed', 'usage-data/**', 'cache/**', 'image-cache/**', 'mcp-discovery-cache/**'),
  ...never(
    'cache',
    'rebuilt when needed',
    'mcp-skill-archives/**',
    'mcp-needs-auth-cache.json',
    'gh-pr-status-cache.json',
  ),
  ...never('cache', 'rebuilt when needed', 'stats-cache.json', 'active-time.json'),
  ...never('cache', 'set by the organisation', 'policy-limits.json*', 'remote-settings*'),
  ...off('local', 'unknown', '**'),
];

/** Rows that no configuration can turn on. */
function never(pathClass: PathClass, note: string, ...globs: string[]): PathRow[] {
  return globs.map((glob) => denied(glob, pathClass, 'never', note));
}

/** Rows that are not carried, and have no merge that would let them be. */
function off(pathClass: PathClass, note: string, ...globs: string[]): PathRow[] {
  return globs.map((glob) => denied(glob, pathClass, 'no', note));
}

/** Rows that are carried. */
function carried(pathClass: PathClass, merge: MergeKind, del: DeleteKind, note: string, ...globs: string[]): PathRow[] {
  return globs.map((glob) => ({ ...denied(glob, pathClass, 'yes', note), merge, delete: del }));
}

/** Rows that are carried when the configuration includes `name`. */
function optIn(
  name: OptIn,
  pathClass: PathClass,
  merge: MergeKind,
  del: DeleteKind,
  note: string,
  ...globs: string[]
): PathRow[] {
  return carried(pathClass, merge, del, note, ...globs).map((row) => ({ ...row, sync: 'no', optIn: name }));
}

/** The same rows, as content that Claude Code acts on. */
function executable(rows: PathRow[]): PathRow[] {
  return rows.map((row) => ({ ...row, executableContent: true }));
}

function denied(glob: string, pathClass: PathClass, sync: SyncKind, note: string): PathRow {
  return { glob, class: pathClass, sync, merge: null, delete: null, note, executableContent: false, optIn: null };
}
