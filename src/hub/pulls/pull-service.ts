import type { HubService } from '../../protocol/service.ts';
import type { PullBoard } from './pull-board.ts';

/** The requests about pull requests. */
export type PullService = Pick<HubService, 'pulls/list' | 'pulls/refresh' | 'pulls/detail' | 'pulls/ofSession'>;

/** Answers the requests about pull requests from a board. */
export function createPullService(board: () => PullBoard): PullService {
  return {
    'pulls/list': async ({ look = false }) => board().list(look),
    'pulls/refresh': ({ look = false }) => board().refresh(look),
    'pulls/detail': (asked, { signal }) => board().detail(asked, signal),
    'pulls/ofSession': ({ session }) => board().ofSession(session.toLowerCase()),
  };
}
