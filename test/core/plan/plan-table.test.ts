import assert from 'node:assert/strict';
import { plan } from '../../../src/core/plan/plan.ts';
import { baseOf, HEAD_SEQ, headOf, inputOf, observedOf, wordOf } from './cells.ts';

const OBSERVED = ['unknown', 'absent', 'confirmed', 'H', 'O', 'N'] as const;
const HEADS = ['none', 'file', 'tombstone'] as const;
const BASES = ['null', 'absent', 'H', 'O'] as const;

/** `D`: a confirmed delete, which means what the path's rule says. */
const DELETE = 'D';

/** One row of the table: what to do for each of OBSERVED, and why. */
interface Row {
  readonly head: (typeof HEADS)[number];
  readonly base: (typeof BASES)[number];
  readonly plans: readonly [string, string, string, string, string, string];
  readonly why: string;
}

const TABLE: readonly Row[] = [
  {
    head: 'none',
    base: 'null',
    plans: ['nothing:unknown', 'nothing:level', 'nothing:level', 'commit', 'commit', 'commit'],
    why: 'a file that the hub never saw is news, and no file where there is no head is nothing',
  },
  {
    head: 'none',
    base: 'absent',
    plans: ['nothing:unknown', 'nothing:level', 'nothing:level', 'commit', 'commit', 'commit'],
    why: 'the hub lost this head: what a machine holds is taken in again',
  },
  {
    head: 'none',
    base: 'H',
    plans: ['nothing:unknown', 'nothing:level', 'nothing:level', 'commit', 'commit', 'commit'],
    why: 'a base without a head is a lost archive: the copy is taken in again, and there is nothing left to delete',
  },
  {
    head: 'none',
    base: 'O',
    plans: ['nothing:unknown', 'nothing:level', 'nothing:level', 'commit', 'commit', 'commit'],
    why: 'as with any other base when the hub has no head',
  },
  {
    head: 'file',
    base: 'null',
    plans: ['nothing:unknown', 'deliver', 'deliver', 'adopt', 'first-conflict', 'first-conflict'],
    why: 'rule 8: without a base nothing was deleted, equal copies are level, unequal ones are for the user',
  },
  {
    head: 'file',
    base: 'absent',
    plans: ['nothing:unknown', 'deliver', 'deliver', 'adopt', 'merge', 'merge'],
    why: 'the machine knew that there was none; it is behind, or both sides made one',
  },
  {
    head: 'file',
    base: 'H',
    plans: ['nothing:unknown', 'confirm-delete', DELETE, 'nothing:level', 'commit', 'commit'],
    why: 'rules 4 and 7: the head did not move, so the machine is ahead, or deleted what was unchanged',
  },
  {
    head: 'file',
    base: 'O',
    plans: ['nothing:unknown', 'deliver', 'deliver', 'adopt', 'deliver', 'merge'],
    why: 'rules 2, 3, 5 and 6: the head moved; made alike it is level, unmoved it is behind, deleted the change wins',
  },
  {
    head: 'tombstone',
    base: 'null',
    plans: ['nothing:unknown', 'adopt', 'adopt', 'commit', 'commit', 'commit'],
    why: 'rule 8: a file met without a base is never removed, and a machine without the file acknowledges the delete',
  },
  {
    head: 'tombstone',
    base: 'absent',
    plans: ['nothing:unknown', 'nothing:acknowledged', 'nothing:acknowledged', 'commit', 'commit', 'commit'],
    why: 'the machine acknowledged the delete; a file that is there now was made anew',
  },
  {
    head: 'tombstone',
    base: 'H',
    plans: ['nothing:unknown', 'confirm-delete', 'adopt', 'deliver', 'commit', 'commit'],
    why: 'rules 2, 3 and 6: both deleted (after a second look), behind, or changed against a delete',
  },
  {
    head: 'tombstone',
    base: 'O',
    plans: ['nothing:unknown', 'confirm-delete', 'adopt', 'commit', 'deliver', 'commit'],
    why: 'as above with another base: only the very content that was verified may be removed',
  },
];

describe('the plan for every combination of head, base and observation', () => {
  it('has a row for each combination', () => {
    const rows = new Set(TABLE.map((row) => `${row.head} ${row.base}`));
    assert.equal(rows.size, TABLE.length);
    for (const head of HEADS) for (const base of BASES) assert.ok(rows.has(`${head} ${base}`), `${head} ${base}`);
  });

  for (const { head, base, plans, why } of TABLE) {
    for (const [at, observed] of OBSERVED.entries()) {
      for (const deleteRule of ['evict', 'tombstone'] as const) {
        const cell = plans[at];
        const expected = cell === DELETE ? (deleteRule === 'evict' ? 'evict' : 'commit-tombstone') : cell;
        it(`head ${head}, base ${base}, observed ${observed}, rule ${deleteRule}: ${expected} (${why})`, () => {
          const given = { head: headOf(head), base: baseOf(base), observed: observedOf(observed), deleteRule };
          assert.equal(wordOf(plan(inputOf(given))), expected);
        });
      }
    }
  }
});

describe('a base that was verified at an older number', () => {
  const older = HEAD_SEQ - 2;

  it('is adopted when the copy equals the head, so that it counts as level with this head', () => {
    const given = { head: headOf('file'), base: baseOf('H', older), observed: observedOf('H') };
    assert.equal(wordOf(plan(inputOf(given))), 'adopt');
  });

  it('still tells that the machine is ahead when the head came back to the same content', () => {
    const given = { head: headOf('file'), base: baseOf('H', older), observed: observedOf('N') };
    assert.equal(wordOf(plan(inputOf(given))), 'commit');
  });

  it('acknowledges a later tombstone of the same key', () => {
    const given = { head: headOf('tombstone'), base: baseOf('absent', older), observed: observedOf('absent') };
    assert.equal(wordOf(plan(inputOf(given))), 'adopt');
  });
});

describe('an evicted copy', () => {
  for (const base of BASES) {
    for (const observed of ['absent', 'confirmed'] as const) {
      it(`is not pushed while the head is still that one (base ${base}, ${observed})`, () => {
        const given = {
          head: headOf('file'),
          base: baseOf(base),
          observed: observedOf(observed),
          evictedSeq: HEAD_SEQ,
        };
        assert.equal(wordOf(plan(inputOf({ ...given, deleteRule: 'evict' }))), 'nothing:evicted');
      });

      it(`is pushed again by a newer head (base ${base}, ${observed})`, () => {
        const given = {
          head: headOf('file'),
          base: baseOf(base),
          observed: observedOf(observed),
          evictedSeq: HEAD_SEQ - 1,
        };
        assert.equal(wordOf(plan(inputOf({ ...given, deleteRule: 'evict' }))), 'deliver');
      });
    }
  }

  it('loses its flag when the same file is there again', () => {
    const given = { head: headOf('file'), base: baseOf('H'), observed: observedOf('H'), evictedSeq: HEAD_SEQ };
    assert.equal(wordOf(plan(inputOf(given))), 'adopt');
  });

  it('is taken in when another file is there now', () => {
    const given = { head: headOf('file'), base: baseOf('H'), observed: observedOf('N'), evictedSeq: HEAD_SEQ };
    assert.equal(wordOf(plan(inputOf(given))), 'commit');
  });

  it('acknowledges a deliberate delete without a second look, since its absence is known', () => {
    const given = { head: headOf('tombstone'), base: baseOf('H'), observed: observedOf('absent'), evictedSeq: 3 };
    assert.equal(wordOf(plan(inputOf(given))), 'adopt');
  });

  it('stays unknown when it cannot be looked at', () => {
    const given = {
      head: headOf('file'),
      base: baseOf('H'),
      observed: observedOf('unknown'),
      evictedSeq: HEAD_SEQ - 1,
    };
    assert.equal(wordOf(plan(inputOf(given))), 'nothing:unknown');
  });
});
