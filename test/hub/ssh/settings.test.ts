import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { resolveSshSettings } from '../../../src/hub/ssh/settings.ts';
import type { SshTarget, Via } from '../../../src/hub/ssh/settings.ts';
import { SshGround, failureOf } from './ground.ts';

describe('the settings of a machine', () => {
  let ground: SshGround;
  before(async () => {
    ground = await SshGround.make();
  });
  after(() => ground.end());

  async function settings(target: SshTarget, lines: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    return resolveSshSettings(target, { configFile: await ground.file('config', ...lines), env });
  }

  it('are those of ssh_config for an alias', async () => {
    const found = await settings({ host: 'rog' }, [
      'Host rog',
      '  HostName 10.1.2.3',
      '  Port 2222',
      '  User nelly',
      '  IdentityFile ~/keys/rog',
      '  IdentityFile "/a folder/key of %r"',
      '  IdentitiesOnly yes',
      '  UserKnownHostsFile ~/known /b/known "/c d/known"',
      '  HostKeyAlias the-rog',
      '  ConnectTimeout 7',
      '  AddressFamily inet6',
    ]);
    const home = userInfo().homedir;
    assert.deepEqual(
      { ...found, hostKeyAlgorithms: null },
      {
        host: 'rog',
        hostname: '10.1.2.3',
        port: 2222,
        user: 'nelly',
        family: 6,
        identityFiles: [
          { path: join(home, 'keys/rog'), named: true },
          { path: '/a folder/key of nelly', named: true },
        ],
        identitiesOnly: true,
        agent: process.env['SSH_AUTH_SOCK'] ?? null,
        knownHostsFiles: [
          join(home, 'known'),
          '/b/known',
          '/c d/known',
          '/etc/ssh/ssh_known_hosts',
          '/etc/ssh/ssh_known_hosts2',
        ],
        hostKeyAlias: 'the-rog',
        hostKeyAlgorithms: null,
        compress: false,
        connectTimeoutMs: 7000,
        via: { kind: 'direct' },
      },
    );
    assert.ok(found.hostKeyAlgorithms?.includes('ssh-ed25519'));
  });

  it('are those of the configuration where it says something', async () => {
    const found = await settings(
      { host: 'rog', port: 22022, user: 'tom', identityFile: '~/mine', knownHostsFile: '~/hosts' },
      ['Host rog', '  Port 2222', '  User nelly', '  IdentityFile /theirs', '  UserKnownHostsFile /their/hosts'],
    );
    assert.deepEqual([found.port, found.user], [22022, 'tom']);
    assert.deepEqual(found.identityFiles, [{ path: join(userInfo().homedir, 'mine'), named: true }]);
    assert.equal(found.identitiesOnly, true, 'no other key takes its place');
    assert.deepEqual(found.knownHostsFiles, [join(userInfo().homedir, 'hosts')]);
  });

  it('tell the keys that ssh tries by itself from those that somebody named', async () => {
    const usual = await settings({ host: 'rog' }, ['Host rog']);
    assert.ok(usual.identityFiles.length > 1 && usual.identityFiles.every(({ named }) => !named));
    const both = await settings({ host: 'rog' }, ['Host rog', '  IdentityFile /a/key', '  IdentityFile none']);
    assert.deepEqual(both.identityFiles, [{ path: '/a/key', named: true }]);
  });

  it('name the agent as ssh_config and the environment do', async () => {
    const env = { ...process.env, SSH_AUTH_SOCK: '/run/usual', MY_AGENT: '/run/mine' };
    for (const [line, agent] of [
      ['', '/run/usual'],
      ['IdentityAgent SSH_AUTH_SOCK', '/run/usual'],
      ['IdentityAgent $MY_AGENT', '/run/mine'],
      ['IdentityAgent ~/agent.sock', join(userInfo().homedir, 'agent.sock')],
      ['IdentityAgent none', null],
      ['IdentityAgent $NO_SUCH_VARIABLE', null],
    ] as const)
      assert.equal((await settings({ host: 'rog' }, ['Host rog', line], env)).agent, agent, line);
  });

  it('follow a chain of jump hosts, each with settings of its own', async () => {
    const { via } = await settings({ host: 'rog' }, [
      ...['Host rog', '  ProxyJump outer,tom@inner:2200'],
      ...['Host outer', '  HostName 10.0.0.1', '  User ann', '  ProxyJump ssh://gate:2022'],
      ...['Host inner', '  HostName 10.0.0.2', '  User nobody', '  ProxyJump not-this-one'],
      ...['Host gate', '  HostName 10.0.0.3'],
    ]);
    const seen: string[] = [];
    for (let at: Via = via; at.kind === 'jump'; at = at.through.via)
      seen.push(`${at.through.user}@${at.through.hostname}:${at.through.port}`);
    assert.deepEqual(seen, ['tom@10.0.0.2:2200', 'ann@10.0.0.1:22', `${userInfo().username}@10.0.0.3:2022`]);
  });

  it('refuse a host that jumps through itself', async () => {
    const failure = await failureOf(
      settings({ host: 'rog' }, ['Host rog', '  ProxyJump gate', 'Host gate', '  ProxyJump rog']),
      'settings',
    );
    assert.match(failure.message, /jump/);
  });

  it('put host, port and user into a ProxyCommand', async () => {
    const { via } = await settings({ host: 'rog', port: 2222, user: 'tom' }, [
      'Host rog',
      '  HostName 10.1.2.3',
      '  ProxyCommand gateway --to %h:%p --as %r --percent %% --alias %n',
    ]);
    assert.deepEqual(via, {
      kind: 'command',
      command: 'gateway --to 10.1.2.3:2222 --as tom --percent % --alias rog',
    });
  });

  it('put nothing into a ProxyCommand that a shell would run', async () => {
    const lines = ['Host rog', '  ProxyCommand gateway %h %r'];
    await failureOf(settings({ host: 'rog', user: 'tom;reboot' }, lines), 'settings');
  });

  it('take a host that looks like an option for a host', async () => {
    const failure = await failureOf(settings({ host: '-oProxyCommand=reboot' }, ['Host rog']), 'settings');
    assert.match(failure.message, /ssh -G/);
  });

  it('say what ssh says when it refuses its own configuration', async () => {
    const failure = await failureOf(settings({ host: 'rog' }, ['Host rog', '  Prot 22']), 'settings');
    assert.match(failure.message, /prot/i);
    assert.match(failure.message, /Nothing was changed/);
    assert.doesNotMatch(failure.message, /Pseudo-terminal/);
  });

  it('are the usual ones where there is no ssh', async () => {
    const env = { PATH: ground.root, SSH_AUTH_SOCK: '/run/usual' };
    const found = await resolveSshSettings({ host: 'rog' }, { env, home: '/home/tom' });
    assert.deepEqual(
      [found.hostname, found.port, found.user, found.agent, found.via.kind],
      ['rog', 22, userInfo().username, '/run/usual', 'direct'],
    );
    assert.deepEqual(found.identityFiles, [{ path: '/home/tom/.ssh/id_ed25519', named: false }]);
    assert.deepEqual(found.knownHostsFiles, ['/home/tom/.ssh/known_hosts']);
  });
});
