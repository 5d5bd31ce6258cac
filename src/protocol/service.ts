import type { Method, ParamsOf, ResultOf } from './methods.ts';

/** What a request brings along besides its parameters. */
export interface RequestContext {
  /** Aborts when the client cancelled, or is gone: a long wait ends then, its answer is not read any more. */
  readonly signal: AbortSignal;
}

/**
 * Everything the hub does for its clients, one method per request; the RPC server only checks parameters and dispatches.
 * Failures that a user can meet reject with `HubError`; anything else is reported as `internal` and logged.
 */
export type HubService = {
  readonly [M in Method]: (params: ParamsOf<M>, request: RequestContext) => Promise<ResultOf<M>>;
};
