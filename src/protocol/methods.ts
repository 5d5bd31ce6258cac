import type { z } from 'zod';
import * as alerts from './alerts.ts';
import * as approve from './approve.ts';
import * as conflicts from './conflicts.ts';
import * as doctor from './doctor.ts';
import * as history from './history.ts';
import * as machines from './machines.ts';
import * as metrics from './metrics.ts';
import * as probe from './probe.ts';
import * as pulls from './pulls.ts';
import * as status from './status.ts';
import * as sync from './sync.ts';
import * as hub from './version.ts';
import * as versions from './versions.ts';

/** Every request of the protocol: what it takes and what it answers. The one place where a method is declared. */
export const METHODS = {
  'hub/hello': { params: hub.HelloParams, result: hub.HelloResult },
  'hub/status': { params: status.StatusParams, result: status.StatusResult },
  'hub/where': { params: hub.WhereParams, result: hub.WhereResult },
  'hub/wait': { params: sync.WaitParams, result: sync.WaitResult },
  'hub/shutdown': { params: hub.ShutdownParams, result: hub.ShutdownResult },
  'hub/reload': { params: hub.ReloadParams, result: hub.ReloadResult },
  'sync/now': { params: sync.SyncNowParams, result: sync.SyncNowResult },
  'machines/list': { params: machines.MachinesListParams, result: machines.MachinesListResult },
  'machines/pause': { params: machines.MachinesPauseParams, result: machines.MachinesPauseResult },
  'machines/resume': { params: machines.MachinesResumeParams, result: machines.MachinesResumeResult },
  'machines/hosts': { params: probe.MachinesHostsParams, result: probe.MachinesHostsResult },
  'machines/probe': { params: probe.MachinesProbeParams, result: probe.MachinesProbeResult },
  'machines/add': { params: probe.MachinesAddParams, result: probe.MachinesAddResult },
  'machines/remove': { params: probe.MachinesRemoveParams, result: probe.MachinesRemoveResult },
  'machines/test': { params: probe.MachinesTestParams, result: probe.MachinesTestResult },
  'conflicts/list': { params: conflicts.ConflictsListParams, result: conflicts.ConflictsListResult },
  'conflicts/show': { params: conflicts.ConflictsShowParams, result: conflicts.ConflictsShowResult },
  'conflicts/resolve': { params: conflicts.ConflictsResolveParams, result: conflicts.ConflictsResolveResult },
  'versions/list': { params: versions.VersionsListParams, result: versions.VersionsListResult },
  'versions/restore': { params: versions.VersionsRestoreParams, result: versions.VersionsRestoreResult },
  'sessions/forget': { params: versions.SessionsForgetParams, result: versions.SessionsForgetResult },
  'approve/list': { params: approve.ApproveListParams, result: approve.ApproveListResult },
  'approve/show': { params: approve.ApproveShowParams, result: approve.ApproveShowResult },
  'approve/accept': { params: approve.ApproveAcceptParams, result: approve.ApproveDecisionResult },
  'approve/reject': { params: approve.ApproveRejectParams, result: approve.ApproveDecisionResult },
  'pulls/list': { params: pulls.PullsListParams, result: pulls.PullsListResult },
  'pulls/refresh': { params: pulls.PullsRefreshParams, result: pulls.PullsRefreshResult },
  'pulls/detail': { params: pulls.PullsDetailParams, result: pulls.PullsDetailResult },
  'pulls/ofSession': { params: pulls.PullsOfSessionParams, result: pulls.PullsOfSessionResult },
  'history/projects': { params: history.HistoryProjectsParams, result: history.HistoryProjectsResult },
  'history/sessions': { params: history.HistorySessionsParams, result: history.HistorySessionsResult },
  'history/session': { params: history.HistorySessionParams, result: history.HistorySessionResult },
  'history/page': { params: history.HistoryPageParams, result: history.HistoryPageResult },
  'history/secrets': { params: history.HistorySecretsParams, result: history.HistorySecretsResult },
  'history/search': { params: history.HistorySearchParams, result: history.HistorySearchResult },
  'metrics/series': { params: metrics.MetricsSeriesParams, result: metrics.MetricsSeriesResult },
  'metrics/text': { params: metrics.MetricsTextParams, result: metrics.MetricsTextResult },
  'alerts/list': { params: alerts.AlertsListParams, result: alerts.AlertsListResult },
  'alerts/dismiss': { params: alerts.AlertsDismissParams, result: alerts.AlertsDismissResult },
  'doctor/run': { params: doctor.DoctorParams, result: doctor.DoctorResult },
} as const;

/** Name of a request. */
export type Method = keyof typeof METHODS;
/** What a client sends: what has a default may be left out. */
export type RequestOf<M extends Method> = z.input<(typeof METHODS)[M]['params']>;
/** What a request takes, with every default filled in. */
export type ParamsOf<M extends Method> = z.infer<(typeof METHODS)[M]['params']>;
/** What a request answers. */
export type ResultOf<M extends Method> = z.infer<(typeof METHODS)[M]['result']>;

/** Whether `name` is a request of this protocol version (own properties only: `constructor` is not one). */
export function isMethod(name: string): name is Method {
  return Object.hasOwn(METHODS, name);
}
