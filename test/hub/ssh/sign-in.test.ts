import assert from 'node:assert/strict';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectSsh } from '../../../src/hub/ssh/connect.ts';
import type { EstablishedConnection } from '../../../src/hub/ssh/established.ts';
import { SignInFailure } from '../../../src/hub/ssh/failures.ts';
import { resolveSshSettings } from '../../../src/hub/ssh/settings.ts';
import type { Sshd } from '../../fixtures/ssh/sshd.ts';
import { SshGround, failureOf, hostBlock, letIn, run } from './ground.ts';

describe('signing in', () => {
  let ground: SshGround;
  let server: Sshd;
  /** Key with the passphrase `secret` that the server lets in. */
  let locked: string;
  /** Key that the server does not let in. */
  let foreign: string;
  before(async () => {
    ground = await SshGround.make();
    server = await ground.serve('rog');
    locked = await ground.key('locked', 'secret');
    await letIn(server, locked);
    foreign = await ground.key('foreign');
  });
  after(() => ground.end());

  /** With `identityFile` of the configuration. */
  async function connectWith(identityFile: string, agent: string | null): Promise<EstablishedConnection> {
    const env = { ...process.env, SSH_AUTH_SOCK: agent ?? '' };
    return ground.keep(await connectSsh(await resolveSshSettings({ ...server.entry, identityFile }, { env })));
  }

  /** With nothing but an alias of ssh_config. */
  async function connectAs(agent: string | null, ...more: readonly string[]): Promise<EstablishedConnection> {
    const lines = hostBlock('rog', server).filter((line) => more.length === 0 || !line.includes('  IdentityFile'));
    lines.push(...more);
    const configFile = await ground.file('config', ...lines);
    const env = { ...process.env, SSH_AUTH_SOCK: agent ?? '' };
    return ground.keep(await connectSsh(await resolveSshSettings({ host: 'rog' }, { configFile, env })));
  }

  it('works with an alias of ssh_config that has a port, a user and a key of its own', async () => {
    const connection = await connectAs(null);
    await connection.openSftp();
    assert.equal(connection.settings.port, server.port);
  });

  it('is encrypted with AES-GCM', async () => {
    assert.match((await connectWith(server.identityFile, null)).cipher, /^aes(128|256)-gcm@openssh\.com$/);
  });

  it('works with a key that has a passphrase through the agent', async () => {
    await connectWith(locked, await ground.agent(locked));
  });

  it('knows which key of the agent belongs to a locked file, also without its public half', async () => {
    const bare = join(ground.root, 'bare');
    await copyFile(locked, bare);
    await connectWith(bare, await ground.agent(foreign, locked));
  });

  it('works where only the public half is named, and the agent has the other', async () => {
    await connectWith(`${locked}.pub`, await ground.agent(locked));
  });

  it('with a key that has a passphrase and no agent says to give it to one', async () => {
    for (const agent of [null, await ground.agent(), join(ground.root, 'no such socket')]) {
      const failure = await failureOf(connectWith(locked, agent), 'key-needs-passphrase');
      assert.ok(failure.next.includes(`ssh-add ${locked}`));
      assert.match(failure.message, /Nothing was changed/);
    }
  });

  it('with a key that the server does not know says which were tried, and how to let one in', async () => {
    const failure = await failureOf(connectWith(foreign, null), 'key-refused');
    assert.ok(failure instanceof SignInFailure);
    assert.deepEqual(failure.attempts.tried, [foreign]);
    assert.match(failure.reason, /root@127\.0\.0\.1:\d+ refused the key that was tried: .*foreign \(no agent\)/);
    assert.ok(failure.next.includes(`ssh-copy-id -i ${foreign} -p ${server.port}`));
  });

  it('never tries a key of the agent instead of the one that the configuration names', async () => {
    const failure = await failureOf(connectWith(foreign, await ground.agent(server.identityFile)), 'key-refused');
    assert.deepEqual((failure as SignInFailure).attempts.tried, [foreign]);
  });

  it('tries the named key before a full agent uses up all tries', async () => {
    const others = await Promise.all(Array.from({ length: 7 }, (_, n) => ground.key(`other-${n}`)));
    const agent = await ground.agent(...others);
    await connectAs(agent, `IdentityFile ${server.identityFile}`);

    const failure = await failureOf(connectAs(agent, 'IdentityFile none'), 'key-refused');
    assert.match(failure.message, /the agent holds 7 keys/);
    assert.match(failure.message, /Too many authentication failures/);
    assert.match(failure.next, /identityFile/);
  });

  it('goes on with the next key where the agent does not sign', async () => {
    const refused = await ground.key('refused');
    await letIn(server, refused);
    const agent = await ground.agent();
    // The agent asks before it signs with this key (-c), and there is nobody to say yes.
    const env = { ...process.env, SSH_AUTH_SOCK: agent };
    await run('ssh-add', ['-q', '-c', refused], { env });
    await rm(refused);
    await connectAs(agent, `IdentityFile ${refused}`, `IdentityFile ${server.identityFile}`);
  });

  it('without any key says so', async () => {
    const failure = await failureOf(connectAs(null, 'IdentityFile none'), 'no-key');
    assert.match(failure.next, /ssh-keygen -t ed25519/);
  });

  it('with a file that is no key, or is not there, says which', async () => {
    const rubbish = join(ground.root, 'rubbish');
    await writeFile(rubbish, 'not a key\n');
    assert.ok((await failureOf(connectWith(rubbish, null), 'no-key')).message.includes(rubbish));
    const missing = await failureOf(connectWith(join(ground.root, 'gone'), null), 'no-key');
    assert.match(missing.message, /gone: there is no such file/);
  });

  it('works with an RSA key', async () => {
    const rsa = join(ground.root, 'rsa');
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', rsa]);
    await letIn(server, rsa);
    await connectWith(rsa, null);
    await connectWith(`${rsa}.pub`, await ground.agent(rsa));
  });

  it('says what a server accepts that accepts no keys', async () => {
    const strange = await ground.serve('strange', {
      config: ['PubkeyAuthentication no', 'PasswordAuthentication yes'],
    });
    const settings = await resolveSshSettings(strange.entry);
    // The first word of a keyword counts in sshd_config, so the fixture's refusal of passwords holds.
    const failure = await failureOf(connectSsh(settings), 'key-refused', 'unreachable');
    assert.match(failure.message, /accepts no keys/);
  });

  it('is not disturbed by the banner of a server', async () => {
    const banner = await ground.file('banner', 'All \u001b[31muse\u001b[0m is watched.');
    const loud = await ground.serve('loud', { config: [`Banner ${banner}`] });
    const connection = ground.keep(await connectSsh(await resolveSshSettings(loud.entry)));
    const sftp = await connection.openSftp();
    await new Promise<void>((resolve, reject) => sftp.realpath('.', (error) => (error ? reject(error) : resolve())));

    const settings = await resolveSshSettings({ ...loud.entry, identityFile: foreign });
    const failure = await failureOf(connectSsh(settings), 'key-refused');
    assert.match(failure.message, /All use is watched/);
    // eslint-disable-next-line no-control-regex -- that there is none is the promise
    assert.doesNotMatch(failure.reason, /[\u0000-\u001f]/);
  });
});
