import assert from 'node:assert/strict';
import type { Alert, Finding } from '../../../src/core/alerts/alert.ts';
import {
  byUrgency,
  CLEARED_KEPT_MS,
  follow,
  isActive,
  MOST_CLEARED,
  SAME_ALERT_MS,
  type Followed,
} from '../../../src/core/alerts/lifecycle.ts';

const NOW = 1_700_000_000_000;

function finding(id: string, more: Partial<Finding> = {}): Finding {
  return { id, severity: 'warning', message: 'm', unaffected: 'u', next: 'n', machine: null, key: null, ...more };
}

const ids = (alerts: readonly { readonly id: string }[]): string[] => alerts.map(({ id }) => id);

describe('the life of an alert', () => {
  let known: readonly Alert[];
  beforeEach(() => (known = []));

  function look(now: number, ...findings: Finding[]): Followed {
    const step = follow(known, findings, now);
    known = step.alerts;
    return step;
  }

  function dismiss(id: string, at: number): void {
    known = known.map((alert) => (alert.id === id ? { ...alert, dismissedAt: at } : alert));
  }

  it('it is raised once, for as long as its cause lasts', () => {
    assert.deepEqual(ids(look(NOW, finding('a')).raised), ['a']);
    for (let at = NOW + 1; at < NOW + 100; at += 1) {
      const step = look(at, finding('a'));
      assert.deepEqual([step.raised, step.worse, step.cleared, step.changed, step.forgotten], [[], [], [], [], []]);
    }
    assert.equal(known[0]?.raisedAt, NOW);
  });

  it('its words follow its cause, and are written without being told', () => {
    look(NOW, finding('a'));
    const step = look(NOW + 1, finding('a', { message: 'other' }));
    assert.deepEqual([step.raised, step.worse], [[], []]);
    assert.deepEqual(step.changed, [
      { ...finding('a', { message: 'other' }), raisedAt: NOW, clearedAt: null, dismissedAt: null },
    ]);
  });

  it('it clears when its cause is gone, once', () => {
    look(NOW, finding('a'), finding('b'));
    const step = look(NOW + 5, finding('b'));
    assert.deepEqual(ids(step.cleared), ['a']);
    assert.equal(step.cleared[0]?.clearedAt, NOW + 5);
    assert.deepEqual(look(NOW + 6, finding('b')).cleared, []);
  });

  it('within ten minutes it is the same one, and nobody is told again', () => {
    look(NOW, finding('a'));
    look(NOW + 1);
    const step = look(NOW + 1 + SAME_ALERT_MS, finding('a'));
    assert.deepEqual(step.raised, []);
    assert.deepEqual(ids(step.changed), ['a']);
    assert.deepEqual([known[0]?.raisedAt, known[0]?.clearedAt], [NOW, null]);
  });

  it('later it is a new one', () => {
    look(NOW, finding('a'));
    look(NOW + 1);
    const at = NOW + 2 + SAME_ALERT_MS;
    assert.deepEqual(ids(look(at, finding('a')).raised), ['a']);
    assert.equal(known[0]?.raisedAt, at);
  });

  it('one that comes and goes for a day is told once', () => {
    let told = 0;
    for (let minute = 0; minute < 1440; minute += 1) {
      const isThere = minute % 6 < 2;
      told += look(NOW + minute * 60_000, ...(isThere ? [finding('a')] : [])).raised.length;
    }
    assert.equal(told, 1);
  });

  it('dismissed, it stays so while its cause lasts and when it comes back soon, not when it comes back later', () => {
    look(NOW, finding('a'));
    dismiss('a', NOW + 1);
    look(NOW + 2, finding('a', { message: 'other' }));
    assert.equal(known.some(isActive), false);
    look(NOW + 3);
    look(NOW + 4, finding('a'));
    assert.equal(known.some(isActive), false);
    look(NOW + 5);
    const step = look(NOW + 6 + SAME_ALERT_MS, finding('a'));
    assert.deepEqual(ids(step.raised), ['a']);
    assert.equal(known.some(isActive), true);
  });

  it('one that gets worse is told again, also when it was dismissed; one that gets better is not', () => {
    look(NOW, finding('a', { severity: 'info' }));
    dismiss('a', NOW + 1);
    const step = look(NOW + 2, finding('a', { severity: 'error' }));
    assert.deepEqual([ids(step.raised), ids(step.worse)], [[], ['a']]);
    assert.deepEqual([known[0]?.raisedAt, known[0]?.dismissedAt], [NOW, null]);
    const better = look(NOW + 3, finding('a', { severity: 'warning' }));
    assert.deepEqual([better.raised, better.worse, ids(better.changed)], [[], [], ['a']]);
  });

  it('an id that is found twice is one alert', () => {
    const step = look(NOW, finding('a', { message: 'first' }), finding('a', { message: 'second' }));
    assert.deepEqual(
      step.raised.map(({ message }) => message),
      ['first'],
    );
  });

  it('a cleared one is kept for 30 days, one that lasts for ever', () => {
    look(NOW, finding('a'), finding('b'));
    look(NOW + 1, finding('b'));
    assert.deepEqual(look(NOW + 1 + CLEARED_KEPT_MS, finding('b')).forgotten, []);
    assert.deepEqual(look(NOW + 2 + CLEARED_KEPT_MS, finding('b')).forgotten, ['a']);
    assert.deepEqual(ids(known), ['b']);
    look(NOW + 10 * CLEARED_KEPT_MS, finding('b'));
    assert.equal(known[0]?.raisedAt, NOW);
  });

  it('of the cleared ones the newest 500 are kept', () => {
    for (let n = 0; n <= MOST_CLEARED; n += 1) look(NOW + n, finding(`a${n}`));
    const step = look(NOW + MOST_CLEARED + 1, finding('b'));
    assert.deepEqual(step.forgotten, ['a0']);
    assert.equal(known.length, MOST_CLEARED + 1);
  });

  it('a clock that was put back does not keep a new alert from being told', () => {
    look(NOW + CLEARED_KEPT_MS, finding('a'));
    look(NOW + CLEARED_KEPT_MS + 1);
    assert.deepEqual(ids(look(NOW, finding('a')).raised), ['a']);
    assert.equal(known[0]?.raisedAt, NOW);
  });

  it('the worst comes first, then the newest', () => {
    look(NOW, finding('old', { severity: 'error' }), finding('x', { severity: 'info' }));
    look(NOW + 1, ...known, finding('new', { severity: 'error' }), finding('w'));
    assert.deepEqual(ids([...known].sort(byUrgency)), ['new', 'old', 'w', 'x']);
  });
});
