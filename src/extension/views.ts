import * as vscode from 'vscode';
import type { HubMirror, MirrorPart } from '../client/hub-mirror.ts';
import { count } from '../client/figures.ts';
import type { StatusResult } from '../protocol/status.ts';
import { alertNodes } from './alerts/alert-nodes.ts';
import { conflictNodes } from './conflicts/conflict-nodes.ts';
import { CONTEXT_KEYS, VIEWS } from './contributions.ts';
import { machineNodes } from './machines/machine-nodes.ts';
import { pullNodes } from './pulls/pull-nodes.ts';
import { NodeView } from './tree/tree-view.ts';

/** The four views of the container, kept like what the mirror knows. */
export class Views implements vscode.Disposable {
  readonly #mirror: HubMirror;
  readonly #machines: NodeView;
  readonly #conflicts: NodeView;
  readonly #pulls: NodeView;
  readonly #alerts: NodeView;

  constructor(mirror: HubMirror) {
    this.#mirror = mirror;
    this.#machines = new NodeView({ id: VIEWS.machines, rows: () => machineNodes(this.#status()?.machines ?? []) });
    this.#conflicts = new NodeView({
      id: VIEWS.conflicts,
      rows: () =>
        this.#status() === null
          ? []
          : conflictNodes({
              open: mirror.conflicts,
              approvals: mirror.approvals,
              decided: async () => {
                const { conflicts } = await mirror.ask((hub) => hub.request('conflicts/list', { status: 'all' }));
                return conflicts.filter(({ status }) => status !== 'open');
              },
            }),
      badge: () => {
        const value = this.#status() === null ? 0 : mirror.conflicts.length + mirror.approvals.length;
        return { value, tooltip: `${count(value, 'decision')} for you` };
      },
    });
    this.#pulls = new NodeView({
      id: VIEWS.pulls,
      rows: () => (this.#status() === null || mirror.pulls === null ? [] : pullNodes(mirror.pulls)),
      badge: () => {
        const value = mirror.pulls?.pulls.filter(({ attention }) => attention === 'needs-my-review').length ?? 0;
        return { value, tooltip: `${count(value, 'review')} asked of you` };
      },
    });
    this.#alerts = new NodeView({
      id: VIEWS.alerts,
      rows: () => alertNodes(this.#status()?.alerts ?? []),
      badge: () => {
        // What is decided in the other view counts once, there.
        const value = (this.#status()?.alerts ?? []).filter(
          ({ severity, id }) => severity !== 'info' && !/^(?:conflict|approvals)/.test(id),
        ).length;
        return { value, tooltip: count(value, 'alert') };
      },
    });
    this.#tellContext();
  }

  /** Shows what changed. */
  refresh(part: MirrorPart): void {
    this.#tellContext();
    if (part === 'state') {
      this.#machines.refresh();
      this.#alerts.refresh();
    }
    if (part !== 'pulls') this.#conflicts.refresh({ anew: part === 'conflicts' });
    if (part === 'state' || part === 'pulls') this.#pulls.refresh();
  }

  dispose(): void {
    for (const view of [this.#machines, this.#conflicts, this.#pulls, this.#alerts]) view.dispose();
  }

  #status(): StatusResult | null {
    const { state } = this.#mirror;
    return state.kind === 'running' ? state.status : null;
  }

  /** What the welcome texts and the places of commands go by. */
  #tellContext(): void {
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.hub, this.#mirror.state.kind);
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.pulls, this.#mirror.pulls?.status.state ?? 'never');
  }
}
