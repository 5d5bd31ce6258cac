import { z } from 'zod';
import { MachineNameSchema, NoParams, OsSchema } from './shared.ts';

/**
 * A machine over SSH as the configuration would name it. Checked against the schema of the configuration by the hub; paths of the hub
 * are absolute or begin with `~`.
 */
export const MachineTarget = z.strictObject({
  host: z.string(),
  port: z.number().optional(),
  user: z.string().optional(),
  identityFile: z.string().optional(),
  knownHostsFile: z.string().optional(),
  claudeDir: z.string().optional(),
  home: z.string().optional(),
  os: z.string().optional(),
  watch: z.string().optional(),
  rsync: z.string().optional(),
  trust: z.string().optional(),
});
export type MachineTarget = z.infer<typeof MachineTarget>;

const FileCount = z.object({ files: z.number(), bytes: z.number() });

/** What a machine is and has, found out without changing anything there. */
export const ProbeReport = z.object({
  /** `user@host:port`. */
  server: z.string(),
  os: OsSchema,
  /** As `uname -m` says; `null` where no shell answers. */
  architecture: z.string().nullable(),
  home: z.string(),
  claudeDir: z.object({ path: z.string(), state: z.enum(['present', 'missing', 'not-a-folder', 'unreadable']) }),
  /** Whether a POSIX shell answers; without one there is SFTP alone. */
  hasShell: z.boolean(),
  /** How changes are noticed. `fix`: what to install for a faster way; `null` when there is nothing to do. */
  watcher: z.object({ kind: z.enum(['inotifywait', 'fswatch', 'poll']), fix: z.string().nullable() }),
  /** Versions; `null` where there is none. `fix`: what to install where one is missing or too old. */
  rsync: z.object({ there: z.string().nullable(), here: z.string().nullable(), fix: z.string().nullable() }),
  /** Conversations there. */
  sessions: z.number(),
  projects: z.object({
    total: z.number(),
    /** Working folders, as conversations there record them; not more than a few dozen, the busiest first. */
    known: z.array(z.object({ path: z.string(), sessions: z.number() })),
  }),
  /** All that is synced of it. */
  synced: FileCount,
  /** What could not be listed or read, and why; not more than a few. */
  unreadable: z.array(z.object({ path: z.string(), reason: z.string() })),
  /** After so many days Claude Code deletes conversations there. `problem`: why settings.json does not tell. */
  cleanUp: z.object({ days: z.number(), isDefault: z.boolean(), problem: z.string().nullable() }),
  /** Its clock minus the hub's, ms, right to about a second; `null` where no shell answers. */
  clockOffsetMs: z.number().nullable(),
  space: z.object({ freeBytes: z.number(), totalBytes: z.number() }).nullable(),
  /** What its SFTP server cannot do, and what that means. */
  lacks: z.array(z.object({ extension: z.string(), means: z.string() })),
  /** fs.inotify.max_user_watches there; `null` where it cannot be read. */
  watchLimit: z.number().nullable(),
});
export type ProbeReport = z.infer<typeof ProbeReport>;

/**
 * What the first sync would do, told from names, sizes and times, and from contents where these are short. Conversations of equal
 * length are taken for equal, and one that was continued on both sides counts with the difference of its lengths: figures are about right.
 */
export const DryRun = z.object({
  toMachine: FileCount,
  /** What each other machine would get from it. */
  fromMachine: z.array(FileCount.extend({ machine: MachineNameSchema })),
  /** Files (not conversations) of one name with different content. */
  conflicts: z.object({ total: z.number(), examples: z.array(z.string()) }),
  /** Files of equal length whose contents were not compared. */
  notCompared: z.number(),
  /** Conversations without activity for longer than its clean-up age: Claude Code would delete them there at its next start. */
  sweptThere: z.number(),
});
export type DryRun = z.infer<typeof DryRun>;

/** A host key that nobody has accepted yet. Nothing of the user was sent to that server. */
export const HostKeyQuestion = z.object({
  server: z.string(),
  type: z.string(),
  fingerprint: z.string(),
  /** File that an accepted key is written to. */
  file: z.string(),
  /** What to run on the machine itself, to see the fingerprint there. */
  compareWith: z.string(),
});
export type HostKeyQuestion = z.infer<typeof HostKeyQuestion>;

/** The machines that the ssh_config of the hub's user names, in its order: what a user may want to add. */
export const MachinesHostsParams = NoParams;
export const MachinesHostsResult = z.object({
  hosts: z.array(
    z.object({
      /** What one writes behind `ssh`. */
      alias: z.string(),
      /** `null`: not said there, or not simple. */
      hostname: z.string().nullable(),
      user: z.string().nullable(),
      port: z.number().nullable(),
      /** The configured machine that is reached by this alias; `null` for none. */
      machine: MachineNameSchema.nullable(),
    }),
  ),
});
export type MachinesHostsResult = z.infer<typeof MachinesHostsResult>;

/**
 * Looks at a machine. `acceptHostKeys`: fingerprints (`SHA256:...`) that the user has compared; a key that is not known yet and has one of
 * them is written to the known hosts. A key that has changed is always refused.
 */
export const MachinesProbeParams = z.strictObject({
  /** The name that it is to get: the configuration may say where projects lie on a machine of that name. */
  machine: MachineNameSchema,
  target: MachineTarget,
  acceptHostKeys: z.array(z.string()),
});
export type MachinesProbeParams = z.infer<typeof MachinesProbeParams>;
export const MachinesProbeResult = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('host-key'), question: HostKeyQuestion }),
  z.object({
    kind: z.literal('probed'),
    report: ProbeReport,
    /** `null` while no hub runs: it takes the heads. */
    dryRun: DryRun.nullable(),
  }),
]);
export type MachinesProbeResult = z.infer<typeof MachinesProbeResult>;

/** Writes a machine into the configuration. What is asked for besides is done there first; if that fails nothing is written. */
export const MachinesAddParams = z.strictObject({
  machine: MachineNameSchema,
  /** An entry with transport `ssh`, or `local` for a folder of the hub's own computer. */
  entry: z.union([
    MachineTarget.extend({ transport: z.literal('ssh') }),
    z.strictObject({
      transport: z.literal('local'),
      claudeDir: z.string(),
      home: z.string().optional(),
      os: z.string().optional(),
      watch: z.string().optional(),
      trust: z.string().optional(),
    }),
  ]),
  /** Makes claudeDir where it is missing (0700). */
  createClaudeDir: z.boolean(),
  /** Writes this `cleanupPeriodDays` into settings.json there; `null` leaves it as it is. */
  cleanUpDays: z.number().int().positive().nullable(),
});
export type MachinesAddParams = z.infer<typeof MachinesAddParams>;
export const MachinesAddResult = z.object({
  machine: MachineNameSchema,
  /** The file that was written. */
  config: z.string(),
  createdClaudeDir: z.boolean(),
  /** Where the settings.json of before is kept, on that machine; `null` when there was none or it was not changed. */
  settingsKept: z.string().nullable(),
  /** Whether a running hub has taken it up. */
  inForce: z.boolean(),
});
export type MachinesAddResult = z.infer<typeof MachinesAddResult>;

/** Takes a machine out of the configuration. Nothing is deleted anywhere. */
export const MachinesRemoveParams = z.strictObject({ machine: MachineNameSchema });
export const MachinesRemoveResult = z.object({
  machine: MachineNameSchema,
  config: z.string(),
  inForce: z.boolean(),
});
export type MachinesRemoveResult = z.infer<typeof MachinesRemoveResult>;

/** One step of a test, in the order in which they are done. */
export const TestStep = z.object({
  /** Stable: `resolve`, `connect`, `sftp`, ... */
  step: z.string(),
  outcome: z.enum(['ok', 'warning', 'failed', 'skipped']),
  /** How long it took; `null` for what was found out on the way. */
  ms: z.number().nullable(),
  message: z.string(),
  fix: z.string().nullable(),
});
export type TestStep = z.infer<typeof TestStep>;

/** Connects anew with the configured settings and tries everything that syncing needs. */
export const MachinesTestParams = z.strictObject({ machine: MachineNameSchema });
export const MachinesTestResult = z.object({
  machine: MachineNameSchema,
  passed: z.boolean(),
  steps: z.array(TestStep),
});
export type MachinesTestResult = z.infer<typeof MachinesTestResult>;
