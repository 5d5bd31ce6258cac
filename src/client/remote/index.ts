/**
 * The way to a hub on another machine. It brings ssh2, so it is a bundle of its own that is loaded only when it is used; whoever loads it
 * speaks to the hub itself (`connectToRemoteHub`). Only plain data, functions and Node's own streams cross this border.
 */
export { openRemoteHub, type RemoteHub, type RemoteHubOptions } from './open-remote-hub.ts';
export { startRemoteHub } from './start-remote-hub.ts';
export type { RemoteOutcome } from './outcome.ts';
