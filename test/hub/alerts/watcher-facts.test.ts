import assert from 'node:assert/strict';
import { watcherFacts, WatchLimits, type WatcherState } from '../../../src/hub/alerts/watcher-facts.ts';
import { troubleOf } from '../../../src/hub/replica/chokidar-watch.ts';

describe('how well a machine is watched', () => {
  const well: WatcherState = { trouble: null, limit: null, install: null, isPolled: false, wantsPoll: false };
  const limit = troubleOf('ENOSPC', null);

  const cases: readonly (readonly [name: string, given: Partial<WatcherState>, state: string, fix: RegExp | null])[] = [
    ['a watcher', {}, 'well', null],
    [
      'polled, and something could be installed',
      { isPolled: true, install: 'brew install fswatch' },
      'missing',
      /brew install fswatch/,
    ],
    ['polled, and nothing helps', { isPolled: true }, 'well', null],
    ['polled as configured', { isPolled: true, install: 'x', wantsPoll: true, trouble: 't' }, 'well', null],
    [
      'no watches left',
      { limit, trouble: limit },
      'limit',
      /fs\.inotify\.max_user_watches=1048576.*claude-sync down && claude-sync up/,
    ],
    ['no watchers left', { limit: troubleOf('EMFILE', null) }, 'limit', /fs\.inotify\.max_user_instances=1024/],
    ['any other trouble', { trouble: 'inotifywait ended' }, 'trouble', /claude-sync doctor/],
  ];
  for (const [name, given, state, fix] of cases)
    it(`${name}: ${state}`, () => {
      const found = watcherFacts({ ...well, ...given });
      assert.equal(found.state, state);
      if (fix === null) assert.equal(found.fix, null);
      else assert.match(found.fix ?? '', fix);
    });

  it('a limit that was told holds until the machine is connected anew', () => {
    const limits = new WatchLimits();
    assert.equal(limits.of('rog', 1, 'inotifywait ended'), null);
    assert.equal(limits.of('rog', 1, limit), limit);
    assert.equal(limits.of('rog', 1, null), limit);
    assert.equal(limits.of('mac', 1, null), null);
    assert.equal(limits.of('rog', 2, null), null);
  });
});
