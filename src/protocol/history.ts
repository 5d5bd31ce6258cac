import { z } from 'zod';
import { KeySchema, MachineNameSchema, UnixMsSchema } from './shared.ts';

/** What the index has still to take in; `null`: it is level. Answers are complete only then. */
export const BacklogSchema = z.object({ logs: z.number().int(), bytes: z.number() }).nullable();

/** Who says something in a conversation. */
export const RoleSchema = z.enum(['title', 'prompt', 'answer', 'thinking', 'tool', 'result', 'note']);
export type Role = z.infer<typeof RoleSchema>;

const Tokens = z.object({ input: z.number(), output: z.number(), cacheRead: z.number(), cacheWrite: z.number() });

const Counts = z.object({
  /** Times of the first and last record, of the recording machine's clock. */
  firstAt: UnixMsSchema.nullable(),
  lastAt: UnixMsSchema.nullable(),
  /** What the user said, counted. */
  prompts: z.number().int(),
  /** Answers of the API, each counted once. */
  answers: z.number().int(),
  toolCalls: z.number().int(),
  tokens: Tokens,
  /** Answers per model. */
  models: z.record(z.string(), z.number().int()),
  /** Working folder at the beginning and at the end, on the machine that recorded it. */
  firstCwd: z.string().nullable(),
  cwd: z.string().nullable(),
  gitBranch: z.string().nullable(),
  /** Of the CLI that wrote last. */
  version: z.string().nullable(),
  compactions: z.number().int(),
  /** Lines that are no records. */
  damagedLines: z.number().int(),
});

/** A conversation in a list. */
export const SessionSchema = Counts.extend({
  session: z.string(),
  key: KeySchema,
  title: z.string().nullable(),
  /** Id of its project; `projectName` is for people. */
  project: z.string().nullable(),
  projectName: z.string().nullable(),
  /** Of the transcript. */
  bytes: z.number(),
  /** Subagents that have a log of their own. */
  agents: z.number().int(),
  /** Machines that have the transcript now. */
  machines: z.array(MachineNameSchema),
  /** Machines on which a CLI has it open now. */
  live: z.array(MachineNameSchema),
  /** No machine has it any more: it is in the hub's archive only. */
  archivedOnly: z.boolean(),
  /** Some machine's copy has its lines in another order, or lacks some. */
  diverged: z.boolean(),
});
export type Session = z.infer<typeof SessionSchema>;

/** Uuid of a session, or at least four characters of its beginning. */
const SessionName = z.string().min(4).max(200);

export const HistoryProjectsParams = z.strictObject({});
export const HistoryProjectsResult = z.object({
  projects: z.array(
    z.object({
      project: z.string().nullable(),
      name: z.string().nullable(),
      sessions: z.number().int(),
      lastAt: UnixMsSchema.nullable(),
      /** Where it lies, per machine. */
      places: z.record(MachineNameSchema, z.array(z.string())),
    }),
  ),
  backlog: BacklogSchema,
});
export type HistoryProjectsResult = z.infer<typeof HistoryProjectsResult>;

/** Most rows of one answer. */
export const MOST_SESSIONS = 500;

export const HistorySessionsParams = z.strictObject({
  /** Id or name of a project. */
  project: z.string().max(1024).optional(),
  /** Sessions that this machine has. */
  machine: MachineNameSchema.optional(),
  /** Part of the title. */
  title: z.string().max(200).optional(),
  /** Only those that a CLI has open, or only those that no machine has any more. */
  state: z.enum(['live', 'archived']).optional(),
  order: z.enum(['activity', 'started', 'title', 'prompts', 'tokens', 'size']).default('activity'),
  ascending: z.boolean().default(false),
  offset: z.number().int().min(0).default(0),
  limit: z.number().int().min(1).max(MOST_SESSIONS).default(100),
});
export const HistorySessionsResult = z.object({
  sessions: z.array(SessionSchema),
  /** On all pages. */
  total: z.number().int(),
  backlog: BacklogSchema,
});
export type HistorySessionsResult = z.infer<typeof HistorySessionsResult>;

/** How a conversation can be resumed on a machine, or why not yet. */
export const ResumeSchema = z.object({
  machine: MachineNameSchema,
  /** Its project's folder there; `null` when that is not known. */
  folder: z.string().nullable(),
  /** What to run there; `null` when it is not possible yet. */
  command: z.string().nullable(),
  /** The shell that the command is written for. */
  shell: z.enum(['sh', 'powershell']).nullable(),
  /** Why there is no command, and what to do. */
  reason: z.string().nullable(),
  /** What to know before running it. */
  warnings: z.array(z.string()),
});
export type Resume = z.infer<typeof ResumeSchema>;

export const HistorySessionParams = z.strictObject({ session: SessionName });
export const HistorySessionResult = z.object({
  session: SessionSchema,
  agents: z.array(Counts.extend({ agent: z.string(), title: z.string().nullable() })),
  /** Ends of the conversation besides the active one, the newest first. */
  branches: z.array(
    z.object({
      offset: z.number().int(),
      at: UnixMsSchema.nullable(),
      /** Records that only it has. */
      records: z.number().int(),
      prompt: z.string().nullable(),
    }),
  ),
  resume: z.array(ResumeSchema),
  backlog: BacklogSchema,
});
export type HistorySessionResult = z.infer<typeof HistorySessionResult>;

const Bounded = z.object({
  text: z.string(),
  /** Of the whole text, in UTF-16 units. */
  length: z.number().int(),
});

const Media = z.object({
  kind: z.enum(['image', 'document']),
  mediaType: z.string(),
  /** Base64; `null` when it was left out or is not in the transcript. */
  data: z.string().nullable(),
  bytes: z.number(),
});

const Plain = [
  Bounded.extend({ kind: z.enum(['text', 'thinking']) }),
  z.object({ kind: z.literal('redacted-thinking') }),
  Media,
  z.object({ kind: z.literal('unknown'), name: z.string() }),
] as const;

const Outcome = z.object({
  isError: z.boolean(),
  at: UnixMsSchema.nullable(),
  offset: z.number().int(),
  parts: z.array(z.unknown()),
  /** Id of the subagent that did the work. */
  agent: z.string().nullable(),
});

/** One block of an entry. Parts of an outcome are blocks again. */
export const EntryBlockSchema = z.union([
  ...Plain,
  z.object({
    kind: z.literal('tool'),
    name: z.string(),
    /** JSON. */
    input: Bounded,
    summary: z.string(),
    outcome: Outcome.nullable(),
  }),
  z.object({ kind: z.literal('outcome'), outcome: Outcome }),
]);

/** One record of a conversation. */
export const EntrySchema = z.object({
  /** Where it begins in its log, in bytes: its name in requests. */
  offset: z.number().int(),
  uuid: z.string().nullable(),
  kind: z.enum(['prompt', 'answer', 'results', 'note', 'boundary', 'summary', 'attachment']),
  at: UnixMsSchema.nullable(),
  messageId: z.string().nullable(),
  model: z.string().nullable(),
  usage: Tokens.nullable(),
  label: z.string().nullable(),
  blocks: z.array(EntryBlockSchema),
});

export const HistoryPageParams = z.strictObject({
  session: SessionName,
  /** The log of a subagent instead of the transcript. */
  agent: z.string().max(200).optional(),
  /** The branch that ends with the record at this offset; the active one by default. */
  branch: z.number().int().min(0).optional(),
  from: z
    .union([
      z.enum(['start', 'end']),
      z.strictObject({ after: z.number().int() }),
      z.strictObject({ before: z.number().int() }),
      /** Offset of a record, as search tells it. */
      z.strictObject({ around: z.number().int().min(0) }),
    ])
    .default('end'),
  limit: z.number().int().min(1).max(500).default(50),
  /** Longest text, in UTF-16 units. */
  textLimit: z.number().int().min(0).max(4_000_000).default(20_000),
  /** Largest picture, in characters of base64. */
  dataLimit: z.number().int().min(0).max(8_000_000).default(0),
});
export const HistoryPageResult = z.object({
  session: z.string(),
  entries: z.array(EntrySchema),
  /** For `from` of the pages before and behind; `null` at the ends of the branch. */
  before: z.number().int().nullable(),
  after: z.number().int().nullable(),
  branch: z.number().int().nullable(),
});
export type HistoryPageResult = z.infer<typeof HistoryPageResult>;

/** What a secret is, as far as its looks tell. */
const SecretKindSchema = z.string();

/** Conversations in which something looks like a well-known token or key. Never the secrets themselves. */
export const HistorySecretsParams = z.strictObject({ session: SessionName.optional() });
export const HistorySecretsResult = z.object({
  sessions: z.array(
    z.object({
      session: z.string(),
      title: z.string().nullable(),
      project: z.string().nullable(),
      projectName: z.string().nullable(),
      lastAt: UnixMsSchema.nullable(),
      secrets: z.array(
        z.object({
          kind: SecretKindSchema,
          /** Lines that hold any of this kind. */
          lines: z.number().int(),
          /** The log of the first of them, `null` for the transcript, and where it begins there. */
          agent: z.string().nullable(),
          offset: z.number().int(),
        }),
      ),
    }),
  ),
  /** Whether every line has been looked through. */
  isComplete: z.boolean(),
});
export type HistorySecretsResult = z.infer<typeof HistorySecretsResult>;

export const HistorySearchParams = z.strictObject({
  /** Words, `"words in a row"`, `-word`. Words match whatever begins with them. */
  query: z.string().max(1000),
  project: z.string().max(1024).optional(),
  machine: MachineNameSchema.optional(),
  session: SessionName.optional(),
  roles: z.array(RoleSchema).min(1).optional(),
  /** Name of a tool: its calls and what they returned. */
  tool: z.string().max(200).optional(),
  after: UnixMsSchema.optional(),
  before: UnixMsSchema.optional(),
  limit: z.number().int().min(1).max(200).default(50),
  cursor: z.string().max(40).optional(),
});
export const HistorySearchResult = z.object({
  hits: z.array(
    z.object({
      session: z.string(),
      agent: z.string().nullable(),
      title: z.string().nullable(),
      project: z.string().nullable(),
      projectName: z.string().nullable(),
      role: RoleSchema,
      tool: z.string().nullable(),
      at: UnixMsSchema.nullable(),
      /** For `from: {around}` of a page. */
      offset: z.number().int(),
      snippet: z
        .object({
          text: z.string(),
          /** What matched, `[from, to)` in UTF-16 units of `text`. */
          marks: z.array(z.tuple([z.number().int(), z.number().int()])),
        })
        .nullable(),
    }),
  ),
  /** For the next page; `null`: there is none. */
  cursor: z.string().nullable(),
  backlog: BacklogSchema,
});
export type HistorySearchResult = z.infer<typeof HistorySearchResult>;

/** Conversations that have other content now: whoever shows them asks again. A few times a second at most. */
export const HistoryChanged = z.object({ sessions: z.array(z.string()), backlog: BacklogSchema });
export type HistoryChanged = z.infer<typeof HistoryChanged>;
