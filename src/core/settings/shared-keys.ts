/**
 * The top-level keys of `settings.json` that may travel (docs/sync.md section 4). Everything else stays where it is,
 * known or not: a list of what is allowed stays right when Claude Code gains keys, a list of what is denied does not.
 *
 * A key is here only when its worst value on another machine is a nuisance: it is about looks, language or comfort, or
 * chooses among what that machine's own account may use anyway. Not here, for good: whatever runs a program or loads code
 * (hooks, `*Helper`, statusLine, mcpServers, plugins, shells), grants or loosens something (permissions, sandbox,
 * skip... prompts), carries secrets or endpoints (env, login, proxies), or names a path of one machine.
 */
export const SHARED_SETTINGS: readonly string[] = [
  // How it looks.
  'outputStyle',
  'prefersReducedMotion',
  'showThinkingSummaries',
  'showTurnDuration',
  'spinnerTipsEnabled',
  'syntaxHighlightingDisabled',
  'terminalProgressBarEnabled',
  'theme',
  'verbose',
  'viewMode',
  // How it is used.
  'autoScrollEnabled',
  'editorMode',
  'language',
  'preferredNotifChannel',
  'promptSuggestionEnabled',
  'todoFeatureEnabled',
  // How the model works.
  'alwaysThinkingEnabled',
  'autoCompactEnabled',
  'effortLevel',
  'model',
  // What it leaves behind. The period is carried only when it is a day or more, see `unsafeValue`.
  'attribution',
  'cleanupPeriodDays',
  'includeCoAuthoredBy',
  // Which of the published channels updates come from.
  'autoUpdatesChannel',
];

const SHARED = new Set(SHARED_SETTINGS);

/** Whether the top-level key `name` of `settings.json` may travel. */
export function isSharedSetting(name: string): boolean {
  return SHARED.has(name);
}

/**
 * Why `value` of an allowed key must not travel all the same, or `null`. Zero (or less) for the clean-up period makes
 * Claude Code drop transcripts at once: a choice for one machine that must not empty the others.
 */
export function unsafeValue(name: string, value: unknown): string | null {
  if (name === 'cleanupPeriodDays' && !(typeof value === 'number' && value >= 1)) {
    return 'a clean-up period below one day is not carried to other machines';
  }
  return null;
}
