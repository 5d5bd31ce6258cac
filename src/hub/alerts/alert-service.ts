import type { HubService } from '../../protocol/service.ts';
import type { AlertBoard } from './alert-board.ts';

/** What clients ask about alerts. */
export interface AlertService {
  readonly requests: Pick<HubService, 'alerts/list' | 'alerts/dismiss'>;
}

/** Answers the requests about alerts from a board. */
export function createAlertService(board: Pick<AlertBoard, 'list' | 'dismiss'>): AlertService {
  return {
    requests: {
      'alerts/list': async ({ all = false }) => ({ alerts: board.list(all) }),
      'alerts/dismiss': async ({ id }) => ({ alert: await board.dismiss(id) }),
    },
  };
}
