import assert from 'node:assert/strict';
import { systemClock } from '../../src/hub/ports/system.ts';

describe("the computer's own time", () => {
  it('does not run at once what is due in more than 24 days', async () => {
    const warned: Error[] = [];
    const onWarning = (warning: Error): void => void warned.push(warning);
    process.on('warning', onWarning);
    let hasRun = false;
    const cancel = systemClock.after(2 ** 31 + 5, () => (hasRun = true));
    // One that is too long for Node would come before this one.
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
    cancel();
    process.off('warning', onWarning);
    assert.deepEqual([hasRun, warned], [false, []]);
  });

  it('runs what is due, once, unless it was taken back', async () => {
    const ran: string[] = [];
    systemClock.after(0, () => ran.push('taken back'))();
    await new Promise<void>((resolve) => {
      const keep = setInterval(() => undefined, 1_000);
      systemClock.after(1, () => {
        ran.push('due');
        clearInterval(keep);
        resolve();
      });
    });
    assert.deepEqual(ran, ['due']);
  });
});
