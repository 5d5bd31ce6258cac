import type { Finding } from '../../protocol/doctor.ts';
import type { HubService } from '../../protocol/service.ts';
import type { PullBoard } from './pull-board.ts';
import { pullFindings } from './pull-findings.ts';

/** What clients hear about pull requests. */
export interface PullService {
  readonly requests: Pick<HubService, 'pulls/list' | 'pulls/refresh' | 'pulls/detail' | 'pulls/ofSession'>;
  /** For `doctor`. */
  findings(): Finding[];
}

/** Answers the requests about pull requests from a board. */
export function createPullService(board: PullBoard): PullService {
  return {
    requests: {
      'pulls/list': async ({ look = false }) => board.list(look),
      'pulls/refresh': ({ look = false }) => board.refresh(look),
      'pulls/detail': (asked, { signal }) => board.detail(asked, signal),
      'pulls/ofSession': ({ session }) => board.ofSession(session.toLowerCase()),
    },
    findings: () => pullFindings(board.status()),
  };
}
