import assert from 'node:assert/strict';
import { plan } from '../../../src/core/plan/plan.ts';
import type { PlanInput } from '../../../src/core/plan/plan.ts';
import { DeleteWindow } from '../../../src/core/safeguards/delete-window.ts';
import { baseOf, headOf, inputOf, observedOf } from '../plan/cells.ts';

/** Plans every file of one look and feeds the safeguards as the engine does. */
function codesAfter(look: readonly Partial<PlanInput>[]): string[] {
  const deletes = new DeleteWindow();
  for (const [at, file] of look.entries()) {
    const made = plan(inputOf(file));
    deletes.note(`key/${at}`, made, 1000);
  }
  const files = look.filter((file) => file.base).length;
  return [deletes.verdict(1000, files)].flatMap((verdict) => verdict?.code ?? []);
}

function many(count: number, file: Partial<PlanInput>): Partial<PlanInput>[] {
  return Array.from({ length: count }, () => file);
}

const level = { head: headOf('file'), base: baseOf('H'), observed: observedOf('H') };
const swept = { ...level, observed: observedOf('confirmed'), deleteRule: 'evict' } as const;
const deleted = { ...level, observed: observedOf('confirmed'), deleteRule: 'tombstone' } as const;

describe('safeguards fed with plans', () => {
  it("let Claude's own clean-up of a third of the tree pass", () => {
    assert.deepEqual(codesAfter([...many(700, level), ...many(300, swept)]), []);
  });

  it('stop a user delete of the same size', () => {
    assert.ok(codesAfter([...many(700, level), ...many(300, deleted)]).includes('many-deletes'));
  });

  it('let a first sync pass, of a full machine into an empty hub and of an empty machine from a full hub', () => {
    assert.deepEqual(codesAfter(many(1000, { head: undefined, base: null, observed: observedOf('N') })), []);
    assert.deepEqual(codesAfter(many(1000, { head: headOf('file'), base: null, observed: observedOf('absent') })), []);
  });

  it('let a first pairing of two full trees pass, however much they differ', () => {
    assert.deepEqual(codesAfter(many(1000, { head: headOf('file'), base: null, observed: observedOf('N') })), []);
  });

  it('do not take what the hub itself wrote for changes', () => {
    assert.deepEqual(codesAfter(many(1000, { ...level, base: baseOf('O') })), []);
  });

  it('let a thousand new files pass', () => {
    const created = { head: undefined, base: null, observed: observedOf('N') };
    assert.deepEqual(codesAfter([...many(100, level), ...many(1000, created)]), []);
  });
});
