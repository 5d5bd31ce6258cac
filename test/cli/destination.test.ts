import assert from 'node:assert/strict';
import { parseDestination } from '../../src/cli/destination.ts';

describe('where an SSH server is', () => {
  const right: readonly [string, object][] = [
    ['rog', { host: 'rog' }],
    ['thh3@rog.local:2222', { user: 'thh3', host: 'rog.local', port: 2222 }],
    ['name@example.com@rog', { user: 'name@example.com', host: 'rog' }],
    ['192.0.2.7', { host: '192.0.2.7' }],
    ['fe80::1', { host: 'fe80::1' }],
    ['me@[2001:db8::7]:22', { user: 'me', host: '2001:db8::7', port: 22 }],
  ];
  for (const [text, destination] of right)
    it(`${text} is understood as ssh does`, () => assert.deepEqual(parseDestination(text), destination));

  // A leading "-" would be an option of ssh.
  for (const text of ['', '@rog', '-oProxyCommand=x', 'me@-x', 'rog:', 'rog:0', 'rog:65536', 'rog:ssh', '[::1'])
    it(`"${text}" is refused`, () => assert.throws(() => parseDestination(text), { name: 'UsageError' }));
});
