import assert from 'node:assert/strict';
import fc from 'fast-check';
import { namesSecret } from '../../../src/core/secrets/assignments.ts';
import { findSecrets, maskSecrets } from '../../../src/core/secrets/mask.ts';

/** Put together here, so that no scanner takes this file for a leak. */
const join = (...parts: string[]): string => parts.join('');
const LETTERS = 'aB3dE6gH1jK9mN2pQ5sT8vW4yZ7bC0dF6hJ1';
const PEM = join(
  '-----BEGIN OPENSSH ',
  'PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nAAAAABAAAA==\n-----END OPENSSH PRIVATE KEY-----',
);

/** Text around a secret, the secret, and its kind. */
const SECRETS: readonly [before: string, secret: string, after: string, kind: string][] = [
  ['key ', join('sk-', `ant-api03-${LETTERS}-_x`), '.', 'anthropic-key'],
  ['', join('sk-', `proj-${LETTERS}_${LETTERS}`), ' was refused', 'openai-key'],
  ['(', join('sk-', LETTERS), ')', 'openai-key'],
  ['"', join('ghp_', LETTERS), '"', 'github-token'],
  ['', join('ghs_', LETTERS), '\n', 'github-token'],
  ['', join('github_pat_', '11ABCDEFG0_', LETTERS), '', 'github-token'],
  ['', join('glpat-', 'aB3dE6gH1jK9mN2pQ5sT'), '', 'gitlab-token'],
  ['', join('xoxb-', '123456789012-abcdefABCDEF'), '', 'slack-token'],
  ['https://hooks.slack.com/services/', 'T00000000/B00000000/aB3dE6gH1jK9', '', 'slack-token'],
  ['id ', join('AKIA', 'IOSFODNN7EXAMPLE'), ' of', 'aws-key'],
  ['', join('AIza', 'SyA1234567890abcdefghijklmnopqrstuv'), '', 'google-key'],
  ['', join('sk_live_', 'aB3dE6gH1jK9mN2pQ5sT'), '', 'stripe-key'],
  ['', join('npm_', LETTERS), '', 'npm-token'],
  ['', join('hf_', LETTERS), '', 'huggingface-token'],
  ['', join('eyJhbGciOiJIUzI1NiJ9', '.eyJzdWIiOiIxMjM0In0.', 'dozjgNryP4J3jVmN-_x'), '', 'jwt'],
  ['authorization: Bearer ', 'abcdefgh', '', 'authorization'],
  ['"Authorization": "Basic ', 'dXNlcjpwYXNz', '"', 'authorization'],
  ['sent Bearer ', 'abc123def456', ' to it', 'authorization'],
  ['https://me:', 'hunter2', '@example.com/x.git', 'url-password'],
  ['postgres://u:', 'p@ss:w0rd', '@db/x', 'url-password'],
  ['see ', PEM, '\nthanks', 'private-key'],
  ['see ', PEM.slice(0, 70), '', 'private-key'],
  ['password=', 'hunter2', ' user=me', 'assigned'],
  ['password: ', 'hunterhunter', '', 'assigned'],
  ['{"password": "', 'correct horse \\" staple', '", "x": 1}', 'assigned'],
  ['{"accessToken":"', 'abcd-efgh', '"}', 'assigned'],
  ['{\\"refreshToken\\": \\"', 'abcd-efgh', '\\"}', 'assigned'],
  ['?x=1&token=', 'abcdefgh', '&y=2', 'assigned'],
  ['api_key: ', 'a1b2c3d4e5', '', 'assigned'],
  ['AWS_SECRET_ACCESS_KEY=', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', '', 'assigned'],
  ["DB_PASSWORD='", 'it is long', "'", 'assigned'],
  ['{"password":["', 'hunter2secret', '"]}', 'assigned'],
  ['Authorization: ', 'hunter2hunter2', '', 'assigned'],
  ['https://', 'aB3dE6gH1jK9mN2pQ5sT', '@github.com/me/app.git', 'url-password'],
];

/** What the hub writes about, and what people and programs write near the words that secrets have. */
const HARMLESS = [
  'session/6b2f1c1e-0c3d-4a53-9f0e-0d4c1b2a3f4e/subagents/agent-a0b1c2d.jsonl',
  '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'projects/-home-thh3-projects-github-com-acme-app/6b2f1c1e-0c3d-4a53-9f0e-0d4c1b2a3f4e.jsonl',
  'skills/sk-learn-the-basics-of-regression/SKILL.md',
  'sk-6b2f1c1e-0c3d-4a53-9f0e-0d4c1b2a3f4e',
  '/home/me/.claude/projects/token-counter/memory/passwords.md',
  'PWD=/home/me/work',
  'private_key=~/.ssh/id_ed25519',
  'input_tokens: 12345, output_tokens=77, "max_tokens": 4096, token: 12345',
  'Unexpected token \'<\', "<html>" is not valid JSON',
  'invalid token: unexpected end of input',
  'const token = readToken(); password: string; token: null',
  'password=$PASSWORD token=<token> https://me:${PASSWORD}@example.com ?token=****',
  'Basic authentication, and the bearer of news',
  'ssh://git@github.com:22/acme/app.git and http://localhost:3000/a@b',
  'git@github.com:acme/app.git',
  'user@host:22 2026-11-23T22:02:02.000Z 10.0.0.1:8080',
  '-----BEGIN PUBLIC KEY-----',
  'SHA256:uNiVztksCsDhcc0u9e8BrcQXVUpKZIDTMczCvj3tD2s',
];

describe('secrets in texts', () => {
  for (const [before, secret, after, kind] of SECRETS) {
    it(`${kind}: ${before.trim().slice(-20)} ${secret.slice(0, 8)}`, () => {
      const text = before + secret + after;
      assert.deepEqual(findSecrets(text), [{ kind, from: before.length, to: before.length + secret.length }]);
      assert.equal(maskSecrets(text), `${before}[hidden:${kind}]${after}`);
    });
  }

  it('an AWS secret is known by the id in front of it', () => {
    const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
    assert.equal(maskSecrets(`${join('AKIA', 'IOSFODNN7EXAMPLE')},${secret}`), '[hidden:aws-key],[hidden:aws-key]');
  });

  for (const text of HARMLESS) {
    it(`leaves alone: ${text.slice(0, 60)}`, () => assert.equal(maskSecrets(text), text));
  }

  it('leaves ids, hashes and paths alone, whatever they are', () => {
    const hex = fc.stringMatching(/^[0-9a-f]{16,64}$/);
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    const path = fc
      .array(fc.oneof(word, fc.uuid(), hex), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.join('/'));
    fc.assert(fc.property(path, (text) => assert.equal(maskSecrets(text), text)));
  });

  it('finds them in any surroundings', () => {
    // What is around a secret is set off from it, as it is in logs and in code.
    const around = fc.array(fc.constantFrom('lorem', 'a=1', '{"x":', '\n', '12', '/tmp/x', 'é😀'), { maxLength: 5 });
    fc.assert(
      fc.property(around, fc.constantFrom(...SECRETS), around, (left, [before, secret, after], right) => {
        const masked = maskSecrets(`${left.join(' ')} ${before}${secret}${after} ${right.join(' ')}`);
        assert.ok(!masked.includes(secret), masked);
      }),
    );
  });

  it('masking twice is the same as once, and a mask is no longer than its kind', () => {
    const piece = fc.oneof(
      fc.constantFrom(...SECRETS.flatMap(([before, secret, after]) => [before, secret, after, before + secret])),
      fc.constantFrom(
        ...['password', 'token', '=', ': ', '"', '\\"', "'", '@', '://', ':', ' ', '\n', '[', ']', '/', '-'],
      ),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const masked = maskSecrets(text);
        assert.equal(maskSecrets(masked), masked);
        assert.ok(masked.length <= text.length + 30 * findSecrets(text).length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('spans are in order, inside the text and apart', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...SECRETS.map(([before, secret]) => before + secret)), { maxLength: 8 }),
        (all) => {
          const text = all.join(' ');
          let free = 0;
          for (const { from, to } of findSecrets(text)) {
            assert.ok(from >= free && to > from && to <= text.length);
            free = to;
          }
        },
      ),
    );
  });

  it('takes time in proportion to the text, however hostile it is', () => {
    const pieces = [
      'a',
      'sk-',
      'sk-ant-',
      'ghp_',
      'github_pat_',
      'eyJ',
      'eyJaaaaaaaa.',
      'eyJaaaaaaaa.eyJaaaaaaaa.',
      '://',
      '://a:',
      '://a:b',
      'a:',
      ':@',
      'password=',
      'password="',
      "password='",
      'token=1',
      'token: ',
      'token:',
      'token \t',
      '\\',
      '"',
      'bearer ',
      'bearer aaaaaaaa ',
      'authorization: bearer ',
      'authorization ',
      '-----BEGIN PRIVATE KEY-----',
      '-----BEGIN ',
      'AKIA',
      'AKIAAAAAAAAAAAAAAAAA,',
      'xoxb-a',
      'AIza',
      'pass',
      'secret_access_',
      'hooks.slack.com/services/',
      'pypi-',
      '\\"',
      'password=\\"',
      '=',
      ' ',
    ];
    const LENGTH = 1_000_000;
    for (const piece of pieces) {
      const text = piece.repeat(LENGTH / piece.length);
      // Linear ones take 5 to 100 ms; with a quadratic one this test would take hours.
      findSecrets(text);
    }
  });

  it('millions of characters without a break do no harm', () => {
    for (const begin of ['password="', 'token=', 'ghp_', 'eyJ', 'sk-ant-', 'Bearer ', '://a:', 'AIza']) {
      assert.doesNotThrow(() => findSecrets(begin + 'a1'.repeat(5_000_000)), begin);
    }
  });

  it('a field is secret by its name', () => {
    for (const name of [
      'password',
      'accessToken',
      'AWS_SECRET_ACCESS_KEY',
      'api-key',
      'Authorization',
      'clientSecret',
      'passphrase',
    ])
      assert.ok(namesSecret(name), name);
    for (const name of [
      'key',
      'keys',
      'tokens',
      'tokenCount',
      'machine',
      'path',
      'bytes',
      'hash',
      'passed',
      'secretary',
    ])
      assert.ok(!namesSecret(name), name);
  });
});
