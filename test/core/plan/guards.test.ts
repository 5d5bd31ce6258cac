import assert from 'node:assert/strict';
import { plan } from '../../../src/core/plan/plan.ts';
import type { PlanInput } from '../../../src/core/plan/plan.ts';
import { Guards } from '../../../src/hub/engine/guards.ts';
import { baseOf, headOf, inputOf, observedOf, wordOf } from './cells.ts';

/** What each guard prevents: the plan with it, and the harm without it. */
const HARM: readonly [Parameters<Guards['on']>[0], Partial<PlanInput>, string, string][] = [
  [
    'unknown-is-not-absent',
    { head: headOf('file'), base: baseOf('H'), observed: observedOf('unknown') },
    'nothing:unknown',
    'commit-tombstone',
  ],
  [
    'confirm-delete',
    { head: headOf('file'), base: baseOf('H'), observed: observedOf('absent') },
    'confirm-delete',
    'commit-tombstone',
  ],
  [
    'union-without-base',
    { head: headOf('file'), base: null, observed: observedOf('confirmed') },
    'deliver',
    'commit-tombstone',
  ],
  ['union-without-base', { head: headOf('tombstone'), base: null, observed: observedOf('N') }, 'commit', 'deliver'],
  ['union-without-base', { head: headOf('file'), base: null, observed: observedOf('N') }, 'first-conflict', 'deliver'],
  [
    'change-beats-delete',
    { head: headOf('file'), base: baseOf('O'), observed: observedOf('confirmed') },
    'deliver',
    'commit-tombstone',
  ],
  [
    'change-beats-delete',
    { head: headOf('tombstone'), base: baseOf('O'), observed: observedOf('N') },
    'commit',
    'deliver',
  ],
  [
    'evict-not-delete',
    { head: headOf('file'), base: baseOf('H'), observed: observedOf('confirmed'), deleteRule: 'evict' },
    'evict',
    'commit-tombstone',
  ],
];

describe('a guard of the planner', () => {
  for (const [guard, given, with_, without] of HARM) {
    it(`${guard}: ${with_} with it, ${without} without it`, () => {
      assert.equal(wordOf(plan(inputOf(given))), with_);
      assert.equal(wordOf(plan(inputOf({ ...given, guards: new Guards() }))), with_);
      assert.equal(wordOf(plan(inputOf({ ...given, guards: new Guards([guard]) }))), without);
    });
  }
});
