/** The worker of the index as it is, but for one conversation that kills it. */
import type { ToWorker, WriteTasks } from '../../../src/hub/conversations/worker-messages.ts';
import { POISON } from './poison.ts';

process.on('message', ({ task, takes }: ToWorker) => {
  if (task !== 'index') return;
  const { logs } = takes as WriteTasks['index']['takes'];
  if (logs.some(({ session }) => session === POISON)) process.kill(process.pid, 'SIGKILL');
});
await import('../../../src/hub/conversations/index-worker.ts');
