import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DeleteKind } from '../../../src/core/domain.ts';
import { plan } from '../../../src/core/plan/plan.ts';
import type { PlanInput } from '../../../src/core/plan/plan.ts';
import { baseOf, HEAD_SEQ, headOf, observedOf } from './cells.ts';
import { SyncedFile } from './synced-file.ts';

const input: fc.Arbitrary<PlanInput> = fc.record({
  head: fc
    .constantFrom('none' as const, 'file' as const, 'tombstone' as const)
    .chain((kind) => fc.boolean().map((executable) => headOf(kind, executable))),
  base: fc
    .tuple(
      fc.constantFrom('null' as const, 'absent' as const, 'H' as const, 'O' as const, 'N' as const),
      fc.constantFrom(HEAD_SEQ, HEAD_SEQ - 1),
      fc.boolean(),
    )
    .map(([kind, seq, executable]) => baseOf(kind, seq, executable)),
  observed: fc
    .tuple(
      fc.constantFrom(
        'unknown' as const,
        'absent' as const,
        'confirmed' as const,
        'H' as const,
        'O' as const,
        'N' as const,
      ),
      fc.boolean(),
    )
    .map(([kind, executable]) => observedOf(kind, executable)),
  evictedSeq: fc.constantFrom(null, HEAD_SEQ, HEAD_SEQ - 1),
  deleteRule: fc.constantFrom<DeleteKind>('evict', 'tombstone'),
  executableBitCounts: fc.boolean(),
});

describe('a plan, whatever it is made of', () => {
  it('changes nothing when the observation is unknown', () => {
    fc.assert(
      fc.property(input, (given) => {
        const made = plan({ ...given, observed: { kind: 'unknown' } });
        assert.deepEqual(made, { do: 'nothing', why: 'unknown' });
      }),
    );
  });

  it('moves no bytes when the machine holds the head', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { head } = given;
        if (!head) return;
        const observed =
          head.kind === 'file' ? observedOf('H', head.executable) : ({ kind: 'absent', confirmed: true } as const);
        const made = plan({ ...given, observed }).do;
        assert.ok(made === 'nothing' || made === 'adopt', made);
      }),
    );
  });

  it('takes a delete into account only after a second look', () => {
    fc.assert(
      fc.property(input, (given) => {
        const made = plan({ ...given, observed: { kind: 'absent', confirmed: false } }).do;
        assert.ok(made !== 'commit-tombstone' && made !== 'evict', made);
      }),
    );
  });

  it('never deletes anywhere without a base', () => {
    fc.assert(
      fc.property(input, (given) => {
        const made = plan({ ...given, base: null }).do;
        assert.notEqual(made, 'commit-tombstone');
        assert.notEqual(made, 'evict');
        if (given.observed.kind === 'file' && given.head?.kind === 'tombstone') assert.equal(made, 'commit');
      }),
    );
  });

  it('overwrites or removes only content that was verified before', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { observed, base, head } = given;
        if (observed.kind !== 'file' || plan(given).do !== 'deliver') return;
        assert.ok(observed.hash === base?.hash || observed.hash === head?.hash);
      }),
    );
  });

  it('never makes a tombstone of a path whose delete means eviction', () => {
    fc.assert(
      fc.property(input, (given) => assert.notEqual(plan({ ...given, deleteRule: 'evict' }).do, 'commit-tombstone')),
    );
  });
});

describe('plans applied on three machines until quiet', () => {
  const machine = fc.nat({ max: 2 });
  const step = fc.oneof(
    { arbitrary: fc.record({ kind: fc.constant('edit' as const), machine }), weight: 3 },
    { arbitrary: fc.record({ kind: fc.constant('delete' as const), machine }), weight: 1 },
    { arbitrary: fc.record({ kind: fc.constant('lose-base' as const), machine }), weight: 1 },
    { arbitrary: fc.record({ kind: fc.constant('look' as const), machine }), weight: 4 },
    { arbitrary: fc.record({ kind: fc.constant('look-fails' as const), machine }), weight: 1 },
  );

  for (const deleteRule of ['evict', 'tombstone'] as const) {
    it(`bring all copies to one content and keep every content that was seen (rule ${deleteRule})`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const file = new SyncedFile(3, deleteRule);
          for (const each of steps) file.step(each.kind, each.machine);
          file.settle();
          file.assertConverged();
          file.assertNothingLost();
        }),
        { numRuns: 500 },
      );
    });
  }

  it('leave alone what is level: once quiet, another look changes nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const file = new SyncedFile(3, 'tombstone');
        for (const each of steps) file.step(each.kind, each.machine);
        file.settle();
        for (const at of [0, 1, 2]) assert.equal(file.planOf(at).do, 'nothing');
      }),
    );
  });

  it('carry a delete of an unchanged file to all machines', () => {
    const file = new SyncedFile(3, 'tombstone');
    file.step('edit', 0);
    file.settle();
    file.step('delete', 1);
    file.settle();
    assert.deepEqual(file.copies, [null, null, null]);
  });

  it('leave the other copies in place when one was swept', () => {
    const file = new SyncedFile(3, 'evict');
    file.step('edit', 0);
    file.settle();
    const [content] = file.copies;
    file.step('delete', 1);
    file.settle();
    assert.deepEqual(file.copies, [content, null, content]);
  });

  it('bring a swept file back when it changes elsewhere', () => {
    const file = new SyncedFile(3, 'evict');
    file.step('edit', 0);
    file.settle();
    file.step('delete', 1);
    file.settle();
    file.step('edit', 2);
    file.settle();
    assert.equal(new Set(file.copies).size, 1);
    assert.notEqual(file.copies[1], null);
  });
});
