import assert from 'node:assert/strict';
import { executableOf, plan } from '../../../src/core/plan/plan.ts';
import { baseOf, HEAD_SEQ, headOf, inputOf, observedOf, wordOf } from './cells.ts';

describe('the executable bit', () => {
  it('travels when it was set on a machine', () => {
    const given = { head: headOf('file'), base: baseOf('H'), observed: observedOf('H', true) };
    assert.equal(wordOf(plan(inputOf(given))), 'commit');
    assert.equal(executableOf(inputOf(given), { executable: true }), true);
  });

  it('is delivered to a machine that is behind by the bit alone', () => {
    const given = { head: headOf('file', true), base: baseOf('H'), observed: observedOf('H') };
    assert.equal(wordOf(plan(inputOf(given))), 'deliver');
  });

  it('of a Windows machine says nothing', () => {
    for (const base of [baseOf('null'), baseOf('H', HEAD_SEQ - 1)]) {
      const given = { head: headOf('file', true), base, observed: observedOf('H'), executableBitCounts: false };
      assert.equal(wordOf(plan(inputOf(given))), 'adopt');
    }
    const level = {
      head: headOf('file', true),
      base: baseOf('H'),
      observed: observedOf('H'),
      executableBitCounts: false,
    };
    assert.equal(wordOf(plan(inputOf(level))), 'nothing:level');
  });

  it('is kept by an edit made on Windows', () => {
    const given = {
      head: headOf('file', true),
      base: baseOf('H'),
      observed: observedOf('N'),
      executableBitCounts: false,
    };
    assert.equal(wordOf(plan(inputOf(given))), 'commit');
    assert.equal(executableOf(inputOf(given), { executable: false }), true);
  });

  it('set on one machine is not taken away by an edit made on another', () => {
    const given = { head: headOf('file', true), base: baseOf('H'), observed: observedOf('N') };
    assert.equal(executableOf(inputOf(given), { executable: false }), true);
  });

  it('is the only thing to settle when both sides made the same content', () => {
    const bitInHead = { head: headOf('file', true), base: baseOf('O'), observed: observedOf('H') };
    assert.equal(wordOf(plan(inputOf(bitInHead))), 'deliver');
    const bitOnMachine = { head: headOf('file'), base: baseOf('O'), observed: observedOf('H', true) };
    assert.equal(wordOf(plan(inputOf(bitOnMachine))), 'commit');
  });

  it('is united at a first pairing instead of asking the user', () => {
    const bitInHead = { head: headOf('file', true), base: null, observed: observedOf('H') };
    assert.equal(wordOf(plan(inputOf(bitInHead))), 'deliver');
    const bitOnMachine = { head: headOf('file'), base: null, observed: observedOf('H', true) };
    assert.equal(wordOf(plan(inputOf(bitOnMachine))), 'commit');
  });

  it('of a file that no head knows is the one observed, and none from Windows', () => {
    const given = { head: undefined, base: null, observed: observedOf('N', true) };
    assert.equal(executableOf(inputOf(given), { executable: true }), true);
    assert.equal(executableOf(inputOf({ ...given, executableBitCounts: false }), { executable: true }), false);
  });
});
