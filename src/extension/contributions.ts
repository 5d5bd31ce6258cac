/**
 * Everything that package.json contributes by name, in one place, so that neither side can name what the other does not have
 * (`test/repo/package.test.ts` compares them).
 */

/** Commands, by what they are called here. */
export const COMMANDS = {
  showStatus: 'claudeSync.showStatus',
  startHub: 'claudeSync.startHub',
  stopHub: 'claudeSync.stopHub',
  restartHub: 'claudeSync.restartHub',
  showLog: 'claudeSync.showLog',
} as const;

/** Settings below `claudeSync`. */
export const SETTINGS = {
  dataDir: 'dataDir',
} as const;

/** First part of the name of every setting. */
export const SECTION = 'claudeSync';
