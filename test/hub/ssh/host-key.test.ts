import assert from 'node:assert/strict';
import { appendFile, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectSsh } from '../../../src/hub/ssh/connect.ts';
import { HostKeyFailure } from '../../../src/hub/ssh/failures.ts';
import { fingerprint, judgeHostKey, knownHostKeys, offeredKey } from '../../../src/hub/ssh/known-hosts.ts';
import { resolveSshSettings } from '../../../src/hub/ssh/settings.ts';
import type { Sshd } from '../../fixtures/ssh/sshd.ts';
import { until } from '../hub-ground.ts';
import { SshGround, failureOf, run, signInsAt } from './ground.ts';

describe('known hosts', () => {
  let ground: SshGround;
  let key: string;
  let other: string;
  before(async () => {
    ground = await SshGround.make();
    const publicHalf = async (name: string): Promise<string> =>
      (await readFile(`${await ground.key(name)}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
    [key, other] = [await publicHalf('one'), await publicHalf('two')];
  });
  after(() => ground.end());

  const keyOf = (line: string) => offeredKey(Buffer.from(line.split(' ')[1] ?? '', 'base64'));

  it('are found by name, by name and port, and where several names or a pattern stand for them', async () => {
    const file = await ground.file('names', `[rog]:2222,[10.0.0.1]:2222 ${key}`, `*.local ${other} a comment`);
    for (const [host, port, line] of [
      ['rog', 2222, key],
      ['ROG', 2222, key],
      ['10.0.0.1', 2222, key],
      ['mac.local', 22, other],
    ] as const) {
      const known = await knownHostKeys(host, port, null, [file]);
      assert.deepEqual(known.keys, [keyOf(line)], `${host} ${port}`);
    }
    assert.deepEqual((await knownHostKeys('rog', 22, null, [file])).keys, []);
    assert.equal((await knownHostKeys('rog', 2222, 'mac.local', [file])).keys.length, 1, 'by the alias alone');
  });

  it('are found where their names are hashed', async () => {
    const file = await ground.file('hashed', `[rog]:2222 ${key}`, `rog ${other}`);
    await run('ssh-keygen', ['-q', '-H', '-f', file]);
    assert.doesNotMatch(await readFile(file, 'utf8'), /rog/);
    assert.deepEqual((await knownHostKeys('rog', 2222, null, [file])).keys, [keyOf(key)]);
    assert.deepEqual((await knownHostKeys('rog', 22, null, [file])).keys, [keyOf(other)]);
  });

  it('are collected from all files, and a missing one knows nothing', async () => {
    const files = [
      await ground.file('first', `# a remark`, `rog ${key}`),
      join(ground.root, 'missing'),
      await ground.file('second', `rog ${other}`),
    ];
    assert.deepEqual((await knownHostKeys('rog', 22, null, files)).keys, [keyOf(key), keyOf(other)]);
  });

  it('a revoked key is wrong wherever it is known as well, and an authority is no key of a host', async () => {
    const file = await ground.file('marks', `rog ${key}`, `@revoked * ${key}`, `@cert-authority rog ${other}`);
    const known = await knownHostKeys('rog', 22, null, [file]);
    assert.equal(judgeHostKey(known, keyOf(key)), 'revoked');
    assert.equal(judgeHostKey(known, keyOf(other)), 'changed');
  });

  it('a file that cannot be read stops the connection', async () => {
    const loop = join(ground.root, 'loop');
    await symlink('loop', loop);
    const failure = await failureOf(knownHostKeys('rog', 22, null, [loop]), 'settings');
    assert.ok(failure.message.includes(loop));
  });

  it('fingerprints are those that ssh-keygen prints', async () => {
    const { stdout } = await run('ssh-keygen', ['-l', '-f', join(ground.root, 'one.pub')]);
    assert.equal(stdout.split(' ')[1], fingerprint(keyOf(key).blob));
  });
});

describe('the host key', () => {
  let ground: SshGround;
  let server: Sshd;
  let wrong: string;
  before(async () => {
    ground = await SshGround.make();
    server = await ground.serve('rog');
    wrong = (await readFile(`${await ground.key('wrong')}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
  });
  after(() => ground.end());
  beforeEach(() => server.trustHostKey());

  const connect = async (target = server) => connectSsh(await resolveSshSettings(target.entry));
  const name = () => `[${server.address}]:${server.port}`;

  /** Nothing may be told to a server that is not the right one. */
  async function refusedBeforeSigningIn(code: 'host-key-unknown' | 'host-key-changed' | 'host-key-revoked') {
    const before = signInsAt(server);
    const ended = server.log.split('preauth').length;
    const failure = await failureOf(connect(), code);
    await until('the server noticed the end', () => server.log.split('preauth').length > ended);
    assert.equal(signInsAt(server), before);
    assert.ok(failure instanceof HostKeyFailure);
    const { stdout } = await run('ssh-keygen', ['-l', '-f', join(server.folder, 'host_ed25519.pub')]);
    assert.equal(failure.fingerprint, stdout.split(' ')[1]);
    assert.equal(failure.type, 'ssh-ed25519');
    assert.ok(failure.message.includes(failure.fingerprint) && failure.message.includes(server.knownHostsFile));
    return failure;
  }

  /** Does what a failure says to do when the fingerprint is right. */
  async function accept(failure: HostKeyFailure): Promise<void> {
    const commands = failure.next.split('\n').filter((line) => /^(echo|ssh-keygen -R) /.test(line));
    assert.ok(commands.length > 0);
    for (const command of commands) await run('bash', ['-c', command]);
  }

  it('that is known lets the connection be made, and it is asked for a name', async () => {
    ground.keep(await connect());
    assert.ok(signInsAt(server) > 0, 'the log shows who signs in');
  });

  it('that is unknown is refused before signing in, and the printed command accepts it', async () => {
    await writeFile(server.knownHostsFile, '');
    const failure = await refusedBeforeSigningIn('host-key-unknown');
    await accept(failure);
    ground.keep(await connect());
  });

  it('is unknown as well where there is no file yet', async () => {
    const settings = await resolveSshSettings({ ...server.entry, knownHostsFile: join(ground.root, 'none yet') });
    const failure = await failureOf(connectSsh(settings), 'host-key-unknown');
    await accept(failure as HostKeyFailure);
    ground.keep(await connectSsh(settings));
  });

  it('that is another one than before is refused before signing in, and the printed commands accept it', async () => {
    await writeFile(server.knownHostsFile, `${name()} ${wrong}\n`);
    const failure = await refusedBeforeSigningIn('host-key-changed');
    await accept(failure);
    ground.keep(await connect());
    assert.doesNotMatch(
      await readFile(server.knownHostsFile, 'utf8'),
      new RegExp(wrong.slice(-30).replace('+', '\\+')),
    );
  });

  it('that is revoked is refused before signing in, although it is known', async () => {
    const key = (await readFile(join(server.folder, 'host_ed25519.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
    await appendFile(server.knownHostsFile, `@revoked * ${key}\n`);
    await refusedBeforeSigningIn('host-key-revoked');
  });

  it('of several is the one that is known', async () => {
    const rsa = join(ground.root, 'host_rsa');
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', rsa]);
    const several = await ground.serve('several', { config: [`HostKey ${rsa}`] });
    const known = (await readFile(`${rsa}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
    await writeFile(several.knownHostsFile, `[${several.address}]:${several.port} ${known}\n`);
    const { stdout } = await run('ssh-keygen', ['-l', '-f', `${rsa}.pub`]);
    assert.equal(ground.keep(await connect(several)).hostKey, stdout.split(' ')[1]);
  });
});
