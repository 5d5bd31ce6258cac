import assert from 'node:assert/strict';
import { extension } from './extension.ts';
import type { Measure } from './index.ts';

/** How the extension starts. */
export function activation(measure: Measure): void {
  describe('activation', () => {
    it('succeeds, and tells how long the window waited for it', async () => {
      const activated = await extension().activate();
      assert.equal(extension().isActive, true);
      assert.equal(typeof activated?.activatedInMs, 'number', 'activate() returns no activatedInMs');
      measure('activate', activated?.activatedInMs ?? Number.NaN);
    });
  });
}
