import { z } from 'zod';
import { parseByteSize } from './byte-size.ts';

/**
 * The configuration, once: this schema validates it, types it, and generates the JSON Schema that editors complete from
 * (json-schema.ts). Every `describe` is therefore text that a user reads.
 *
 * Everything is strict: a key that is not known is an error, because a mistyped `exclude` or `paused` that is silently
 * ignored would move files that the user meant to keep in place.
 */

/** Classes that are not synced unless they are named in `sync.include`. Never a glob: a glob could reach a secret. */
export const OPT_IN_CLASSES = ['settings', 'tasks', 'file-history', 'workflows', 'hooks', 'loop'] as const;

/** Name of an opt-in class. */
export type OptInClass = (typeof OPT_IN_CLASSES)[number];

/** Levels of the hub's log, from silent to loud. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** What is done when two machines changed a file that cannot be merged. */
export const CONFLICT_STRATEGIES = ['last-write-wins', 'manual'] as const;

/** Name of a conflict strategy. */
export type ConflictStrategy = (typeof CONFLICT_STRATEGIES)[number];

/** Shape of a machine name: it appears in file names, on command lines and in terminal output. */
export const MACHINE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const machineName = z
  .string()
  .regex(
    MACHINE_NAME,
    'a machine name begins with a letter or digit and has only letters, digits, ".", "_" and "-" (at most 63)',
  );

const oneLine = z
  .string()
  .min(1, 'must not be empty')
  // eslint-disable-next-line no-control-regex -- control characters are what is refused here
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters');

/** An argument of ssh or rsync: a leading "-" would be read as an option there. */
const sshWord = oneLine.regex(/^[^-\s][^\s]*$/, 'must not begin with "-" or contain spaces');

const glob = oneLine.regex(/^[^!/\\][^\\]*$/, 'a glob on keys begins with neither "/" nor "!" and separates with "/"');

const repositoryGlob = oneLine.regex(
  /^[^!/\s]+\/[^!/\s]+$/,
  'a glob on "owner/name" with one "/", for example "acme/*"',
);

const rootName = oneLine.refine(
  (name) => !name.includes('\\') && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
  'a path below claudeDir, separated with "/", without ".." (for example "CLAUDE.md" or "skills")',
);

const scope = z
  .strictObject({
    projects: z.array(oneLine).optional().describe('Only these projects (names as in keys). Default: all.'),
    maxAgeDays: z.number().positive().optional().describe('Only sessions with activity within this many days.'),
    maxFileMB: z.number().positive().optional().describe('Only files up to this size, in MB.'),
    placement: z
      .enum(['always', 'present-only'])
      .default('always')
      .describe('"present-only": sessions of a project that is not on the machine stay at the hub until it is.'),
  })
  .describe('What this machine gets. Default: everything.');

const common = {
  claudeDir: oneLine
    .default('~/.claude')
    .describe("Claude Code's data folder on that machine. `~` is the home folder there."),
  home: oneLine.optional().describe('Home folder of the user on that machine. Default: asked of the machine.'),
  os: z
    .enum(['linux', 'macos', 'windows'])
    .optional()
    .describe('Operating system. Default: found out when connecting.'),
  watch: z
    .enum(['auto', 'inotifywait', 'fswatch', 'poll'])
    .default('auto')
    .describe(
      'How changes are noticed. "auto" takes the fastest way that works there; "poll" looks every sync.pollSeconds.',
    ),
  rsync: z
    .enum(['auto', 'never'])
    .default('auto')
    .describe('Whether rsync may be used for first syncs and large files.'),
  paused: z.boolean().default(false).describe('A paused machine is neither read nor written.'),
  trust: z
    .enum(['full', 'data'])
    .default('full')
    .describe('"data": agents, commands, skills and other content that Claude Code executes waits for your approval.'),
  scope: scope.prefault({}),
  followRoots: z
    .array(rootName)
    .default([])
    .describe('Files or folders below claudeDir that are symlinks on purpose (dotfiles) and are followed.'),
};

const localMachine = z
  .strictObject({
    transport: z.literal('local').describe('A folder on the machine that the hub runs on.'),
    ...common,
  })
  .describe('A replica on the hub itself.');

const sshMachine = z
  .strictObject({
    transport: z.literal('ssh').describe('A machine that the hub reaches over SSH.'),
    host: sshWord.describe('An alias of your ssh_config, a host name or an address.'),
    port: z.int().min(1).max(65535).optional().describe('Port. Default: as ssh_config says, else 22.'),
    user: sshWord.optional().describe('User there. Default: as ssh_config says, else yours.'),
    identityFile: oneLine.optional().describe('Private key on the hub. Default: the agent and the usual files.'),
    knownHostsFile: oneLine
      .optional()
      .describe('File that the host key is checked against. Default: ~/.ssh/known_hosts.'),
    ...common,
  })
  .describe('A machine over SSH.');

const machine = z.discriminatedUnion('transport', [localMachine, sshMachine], {
  error: (issue) => (issue.code === 'invalid_union' ? 'transport must be "local" or "ssh"' : undefined),
});

const byteSize = z
  .union([z.int().positive(), z.string()], { error: 'expected a number of bytes or a size such as "5GB"' })
  .transform((value, context) => {
    if (typeof value === 'number') return value;
    const bytes = parseByteSize(value);
    if (bytes !== null) return bytes;
    context.addIssue({
      code: 'custom',
      message: `"${value}" is not a size; write for example "500MB", "5GB" or "2GiB"`,
    });
    return z.NEVER;
  });

const sync = z
  .strictObject({
    pollSeconds: z
      .number()
      .min(0.2)
      .max(10)
      .default(2)
      .describe(
        'Seconds between two looks at active folders where nothing can watch (0.2 to 10); all others are seen within 10 s.',
      ),
    bandwidthLimitKBps: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe(
        'Upper limit for transfers to and from a machine over the network (transport "ssh"), in KB per second. null: none. Local folders are never slowed down.',
      ),
    include: z
      .array(z.enum(OPT_IN_CLASSES, `not an opt-in class; there are: ${OPT_IN_CLASSES.join(', ')}`))
      .default([])
      .describe('Opt-in classes that are synced too.'),
    exclude: z
      .array(glob)
      .default([])
      .describe('Globs on keys that are not synced. Excluding something later deletes nothing anywhere.'),
  })
  .describe('What is synced and how fast.');

const conflicts = z
  .strictObject({
    strategy: z
      .enum(CONFLICT_STRATEGIES)
      .default('last-write-wins')
      .describe('For files that cannot be merged. The losing side is always kept and one command brings it back.'),
    overrides: z
      .record(glob, z.enum(CONFLICT_STRATEGIES))
      .default({})
      .describe('Strategy per glob on keys; the first match wins.'),
  })
  .describe('What happens when two machines changed the same file.');

const versions = z
  .strictObject({
    keepDays: z.int().min(1).default(90).describe('Earlier versions are kept for this many days.'),
    maxBytes: byteSize
      .prefault('5GB')
      .describe('Beyond this total the oldest versions go first. "500MB", "5GB", "2GiB" or bytes.'),
  })
  .describe('How long earlier and losing contents are kept.');

const pulls = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether the hub asks GitHub, with the GitHub CLI (gh) as you logged in.'),
    refreshMinutes: z
      .number()
      .min(1)
      .max(1440)
      .default(5)
      .describe('Minutes between two refreshes of the pull requests.'),
    queries: z
      .record(oneLine, oneLine)
      .default({ Mine: 'author:@me', Review: 'review-requested:@me' })
      .describe('Lists of pull requests: title and GitHub search.'),
    include: z
      .array(repositoryGlob)
      .default([])
      .describe('Globs on "owner/name": only these repositories. Default: all that you can reach.'),
    exclude: z.array(repositoryGlob).default([]).describe('Globs on "owner/name": not these repositories.'),
  })
  .describe('Pull requests.');

const alerts = z
  .strictObject({
    command: z
      .array(oneLine)
      .min(1, 'name a program')
      .nullable()
      .default(null)
      .describe(
        'Program and arguments that are run for each new alert, without a shell. {event}, {id}, {severity}, {machine}, {title}, {message} and {next} in arguments are filled in. null: none.',
      ),
  })
  .describe('What you are told of.');

const logs = z
  .strictObject({
    level: z
      .enum(LOG_LEVELS)
      .default('info')
      .describe('"debug" logs every file that is looked at; "info" what is synced; "warn" and "error" only troubles.'),
    maxBytes: byteSize.prefault('10MB').describe('A log file of this size is put aside.'),
    keep: z.int().min(1).max(100).default(4).describe('How many of those are kept.'),
  })
  .describe("The hub's log. Never content of conversations.");

/** The whole configuration file. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors.'),
    machines: z
      .record(machineName, machine)
      .refine((machines) => Object.keys(machines).length > 0, 'name at least one machine')
      .describe('The machines, by name.'),
    projects: z
      .record(oneLine, z.record(machineName, oneLine))
      .default({})
      .describe('Where a project lies on each machine, for projects that are not recognised by themselves.'),
    sync: sync.prefault({}),
    conflicts: conflicts.prefault({}),
    versions: versions.prefault({}),
    pulls: pulls.prefault({}),
    alerts: alerts.prefault({}),
    logs: logs.prefault({}),
  })
  .describe('Configuration of Claude Sync Manager.');

/** A validated configuration, all defaults filled in. Paths are as written; see `expandHome`. */
export type Config = z.output<typeof configSchema>;

/** What may be written in the file. */
export type ConfigInput = z.input<typeof configSchema>;

/** One entry of `machines`. */
export type MachineConfig = Config['machines'][string];

/** One entry of `machines` with transport `ssh`. */
export type SshMachineConfig = Extract<MachineConfig, { transport: 'ssh' }>;

/** One entry of `machines` as it may be written. */
export type MachineConfigInput = ConfigInput['machines'][string];

/** What a machine gets (`scope`). */
export type ScopeConfig = MachineConfig['scope'];
