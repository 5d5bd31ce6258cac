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
  showPlaces: 'claudeSync.showPlaces',
  openConfig: 'claudeSync.openConfig',
  reloadConfig: 'claudeSync.reloadConfig',
  runDoctor: 'claudeSync.runDoctor',
  showMetrics: 'claudeSync.showMetrics',
  syncNow: 'claudeSync.syncNow',
  waitUntilInSync: 'claudeSync.waitUntilInSync',
  removeMachine: 'claudeSync.removeMachine',
  testMachine: 'claudeSync.testMachine',
  pauseMachine: 'claudeSync.pauseMachine',
  resumeMachine: 'claudeSync.resumeMachine',
  syncMachine: 'claudeSync.syncMachine',
  openConflict: 'claudeSync.openConflict',
  keepSide: 'claudeSync.keepSide',
  copyResumeCommand: 'claudeSync.copyResumeCommand',
  reverseConflict: 'claudeSync.reverseConflict',
  showApproval: 'claudeSync.showApproval',
  acceptApproval: 'claudeSync.acceptApproval',
  rejectApproval: 'claudeSync.rejectApproval',
  refreshPulls: 'claudeSync.refreshPulls',
  openPull: 'claudeSync.openPull',
  copyCheckoutCommand: 'claudeSync.copyCheckoutCommand',
  dismissAlert: 'claudeSync.dismissAlert',
  copyText: 'claudeSync.copyText',
  addMachine: 'claudeSync.addMachine',
  openMachineConfig: 'claudeSync.openMachineConfig',
  keepLeft: 'claudeSync.keepLeft',
  keepRight: 'claudeSync.keepRight',
  mergeConflict: 'claudeSync.mergeConflict',
  acceptMerge: 'claudeSync.acceptMerge',
  restoreVersion: 'claudeSync.restoreVersion',
  forgetSession: 'claudeSync.forgetSession',
  openTerminal: 'claudeSync.openTerminal',
  runDemo: 'claudeSync.runDemo',
  joinHub: 'claudeSync.joinHub',
  openConversation: 'claudeSync.openConversation',
  checkOutPull: 'claudeSync.checkOutPull',
  openWalkthrough: 'claudeSync.openWalkthrough',
} as const;
/** Name of a command. */
export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

/** Views in the container `claudeSync`. */
export const VIEWS = {
  machines: 'claudeSync.machines',
  conflicts: 'claudeSync.conflicts',
  pulls: 'claudeSync.pulls',
  alerts: 'claudeSync.alerts',
} as const;
/** Name of a view. */
export type ViewId = (typeof VIEWS)[keyof typeof VIEWS];

/** First part of the name of every setting. */
export const SECTION = 'claudeSync';

/** Settings below `claudeSync`. */
export const SETTINGS = {
  /** `[user@]host[:port]` of a hub on another machine; empty for this computer. */
  hubHost: 'hub.host',
  /** Its data folder; empty for the usual place. */
  hubDataDir: 'hub.dataDir',
  /** Node that a hub of this computer is started with; empty: looked for. */
  hubNodePath: 'hub.nodePath',
  /** `ask`, `always` or `never`. */
  hubAutoStart: 'hub.autoStart',
  notifyConflicts: 'notifications.conflicts',
  notifyQuarantine: 'notifications.quarantine',
  notifyHubCrash: 'notifications.hubCrash',
} as const;
/** Name of a setting below `claudeSync`. */
export type Setting = (typeof SETTINGS)[keyof typeof SETTINGS];

/** Context keys that `when` clauses of package.json look at. */
export const CONTEXT_KEYS = {
  /** `connecting`, `not-running`, `trouble` or `running`. */
  hub: 'claudeSync.hub',
  /** State of the pull requests (`PullsState` of the protocol). */
  pulls: 'claudeSync.pulls',
  /** Whether the active editor is a conflict that is being merged by hand. */
  isMerging: 'claudeSync.isMerging',
} as const;

/** The walkthrough of the first steps. */
export const WALKTHROUGH = 'start';

/** Documents that are made up: sides of conflicts, versions, reports. */
export const DOCUMENT_SCHEME = 'claude-sync';
