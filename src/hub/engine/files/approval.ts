import type { Pair } from '../../../core/domain.ts';
import type { Staged } from '../../archive/archive.ts';
import type { EngineContext, MachineView } from '../context.ts';
import type { SeenFile } from './sight.ts';
import type { Outcome } from '../outcome.ts';

/** Executable content of a machine that is not fully trusted waits, kept, until the user has seen it (docs/sync.md section 10). */
export async function askForApproval(
  ctx: EngineContext,
  machine: MachineView,
  pair: Pair,
  seen: SeenFile,
  staged: Staged,
): Promise<Outcome> {
  const { store, archive, clock } = ctx;
  const waiting = store.approvals.list().filter((row) => row.key === pair.key && row.machine === machine.name);
  if (waiting.some((row) => row.sha256 === staged.sha256 && row.status !== 'accepted')) {
    return { kind: 'held', reason: 'waits for your approval (claude-sync approve)' };
  }
  const kept = await archive.keep(archive.readStaged(staged, 0, staged.bytes));
  for (const row of waiting) if (row.status === 'waiting') store.approvals.update({ ...row, status: 'rejected' });
  store.approvals.add({
    key: pair.key,
    machine: machine.name,
    at: clock.now(),
    sha256: kept.sha256,
    bytes: kept.bytes,
    executable: seen.stat?.executable ?? false,
    status: 'waiting',
  });
  return { kind: 'held', reason: 'waits for your approval (claude-sync approve)' };
}
