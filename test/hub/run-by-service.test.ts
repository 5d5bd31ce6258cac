import assert from 'node:assert/strict';
import { serviceOf } from '../../src/hub/run-by-service.ts';

describe('a process that a service manager keeps running', () => {
  it('is known by the name that its definition gives it', () => {
    assert.equal(serviceOf({ CLAUDE_SYNC_SERVICE: 'claude-sync.service' }, 7), 'claude-sync.service');
  });

  it('is known by what systemd says about it', () => {
    assert.equal(serviceOf({ SYSTEMD_EXEC_PID: '7' }, 7), 'systemd');
  });

  it('is not one that was started below a unit, from an editor or a shell', () => {
    assert.equal(serviceOf({ SYSTEMD_EXEC_PID: '6', INVOCATION_ID: 'a'.repeat(32) }, 7), null);
    assert.equal(serviceOf({ CLAUDE_SYNC_SERVICE: '' }, 7), null);
    assert.equal(serviceOf({}, 7), null);
  });
});
