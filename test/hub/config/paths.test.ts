import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hubPaths, MAX_SOCKET_BYTES, SocketPathTooLong, type PathInput } from '../../../src/hub/config/paths.ts';

const linux: PathInput = { env: {}, platform: 'linux', home: '/home/ada', tmp: '/tmp', uid: '1000', cwd: '/work' };

describe('where the hub keeps things', () => {
  it('follows the XDG rules, with their defaults', () => {
    const usual = hubPaths(linux);
    assert.equal(usual.configFile, '/home/ada/.config/claude-sync/config.jsonc');
    assert.equal(usual.configFileNamed, false);
    assert.equal(usual.dataDir, '/home/ada/.local/state/claude-sync');
    assert.equal(usual.hubFile, '/home/ada/.local/state/claude-sync/hub.json');
    assert.equal(usual.logFile, '/home/ada/.local/state/claude-sync/logs/hub.log');
    const moved = hubPaths({
      ...linux,
      env: { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/run/user/1000' },
    });
    assert.equal(moved.configFile, '/c/claude-sync/config.jsonc');
    assert.equal(moved.dataDir, '/s/claude-sync');
    assert.match(moved.socket, /^\/run\/user\/1000\/claude-sync\/[0-9a-f]{16}\.sock$/);
    assert.equal(moved.socketFolder, '/run/user/1000/claude-sync');
  });

  it('ignores relative and empty variables', () => {
    const env = { XDG_CONFIG_HOME: 'c', XDG_STATE_HOME: '', XDG_RUNTIME_DIR: 'run', CLAUDE_SYNC_DATA_DIR: '' };
    const { socket, socketFolder, ...rest } = hubPaths({ ...linux, env });
    const usual = hubPaths(linux);
    assert.deepEqual({ ...rest, socket, socketFolder }, usual);
  });

  it('an option wins over the environment, relative to where it was given', () => {
    const env = { CLAUDE_SYNC_CONFIG: '/env/c', CLAUDE_SYNC_DATA_DIR: '/env/d', CLAUDE_SYNC_SOCKET: '/env/s' };
    assert.equal(hubPaths({ ...linux, env }).socket, '/env/s');
    const named = hubPaths({ ...linux, env, config: 'c.jsonc', dataDir: '~/d', socket: 's' });
    assert.deepEqual([named.configFile, named.dataDir, named.socket], ['/work/c.jsonc', '/home/ada/d', '/work/s']);
    assert.equal(named.configFileNamed, true);
  });

  it('two data folders, or two users, never share a socket', () => {
    const sockets = [{ dataDir: '/a' }, { dataDir: '/b' }, { dataDir: '/a', uid: '2' }].map(
      (over) => hubPaths({ ...linux, ...over }).socket,
    );
    assert.equal(new Set(sockets).size, 3);
    assert.equal(hubPaths({ ...linux, dataDir: '/a' }).socket, sockets[0]);
  });

  it('the socket path fits every system, however long the folders are', () => {
    const folder = fc.stringMatching(/^\/[a-zäß日/]{0,150}$/);
    fc.assert(
      fc.property(folder, folder, folder, (tmp, run, dataDir) => {
        const { socket } = hubPaths({ ...linux, platform: 'darwin', tmp, dataDir, env: { XDG_RUNTIME_DIR: run } });
        assert.ok(Buffer.byteLength(socket) <= MAX_SOCKET_BYTES, socket);
      }),
    );
  });

  it('a socket path that the user named and that cannot work is refused with its length', () => {
    assert.throws(
      () => hubPaths({ ...linux, socket: `/${'x'.repeat(103)}` }),
      (error) => {
        return error instanceof SocketPathTooLong && /104 bytes.*--socket/.test(error.message);
      },
    );
    assert.equal(hubPaths({ ...linux, socket: `/${'x'.repeat(102)}` }).socket.length, 103);
  });

  it('on Windows: a named pipe, and the folders of the profile', () => {
    const home = 'C:\\Users\\nelly';
    const there = hubPaths({ env: {}, platform: 'win32', home, tmp: 'C:\\Temp', uid: '', cwd: home });
    assert.match(there.socket, /^\\\\\.\\pipe\\claude-sync-[0-9a-f]{16}$/);
    assert.equal(there.socketFolder, null);
    assert.equal(there.configFile, 'C:\\Users\\nelly\\AppData\\Roaming\\claude-sync\\config.jsonc');
    assert.equal(there.dataDir, 'C:\\Users\\nelly\\AppData\\Local\\claude-sync');
  });
});
