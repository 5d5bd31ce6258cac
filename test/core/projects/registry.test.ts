import assert from 'node:assert/strict';
import fc from 'fast-check';
import { keyForProject, parseKey } from '../../../src/core/keys/key.ts';
import type { ExplicitMap } from '../../../src/core/projects/explicit-map.ts';
import { encodeProjectId, freeProjectId } from '../../../src/core/projects/project-id.ts';
import type { Homes, Project, Seen } from '../../../src/core/projects/project.ts';
import { identifyProject, placeOn } from '../../../src/core/projects/registry.ts';

const HOMES: Homes = {
  xps: { home: '/home/thh3', os: 'linux' },
  rog: { home: '/home/thh3', os: 'linux' },
  mac: { home: '/Users/tomerhamam', os: 'macos' },
  nelly: { home: '/C:/Users/nelly', os: 'windows' },
};
const APP = 'github.com/o/app//';
const OTHER = 'github.com/o/other//';

/** A registry as the hub keeps it. */
function registry(map: ExplicitMap = {}) {
  const projects = new Map<string, Project>();
  const see = (machine: string, path: string, remote: string | null = null) => {
    const home = HOMES[machine] ?? assert.fail(machine);
    const seen: Seen = { machine, path, remote, ...home };
    const { project, changed } = identifyProject(projects.values(), seen, map, HOMES);
    projects.set(project.id, project);
    return { id: project.id, project, changed };
  };
  return { projects, see };
}

describe('a project seen on two machines', () => {
  it('is one when the map says so, folders inside it included', () => {
    const { see } = registry({ moderator: { xps: '/srv/moderator', mac: '~/work/moderator/' } });
    assert.equal(see('xps', '/srv/moderator', APP).id, 'moderator');
    assert.equal(see('mac', '/Users/tomerhamam/work/moderator', OTHER).id, 'moderator');
    const inside = see('xps', '/srv/moderator/api').id;
    assert.equal(inside, 'moderator%2Fapi');
    assert.equal(see('mac', '/Users/tomerhamam/work/moderator/api').id, inside);
    assert.notEqual(see('xps', '/srv/moderator2').id, 'moderator');
  });

  it('is one when the remote and the path in the repository are the same', () => {
    const { see } = registry();
    assert.equal(see('rog', '/home/thh3/code/app', APP).id, 'code%2Fapp');
    assert.equal(see('mac', '/Users/tomerhamam/dev/app', APP).id, 'code%2Fapp');
    assert.notEqual(see('mac', '/Users/tomerhamam/dev/app/web', `${APP}web`).id, 'code%2Fapp');
  });

  it('is one when it lies at the same path relative to home', () => {
    const { see } = registry();
    const { id } = see('rog', '/home/thh3/code/app');
    assert.equal(see('mac', '/Users/tomerhamam/code/app', APP).id, id);
    assert.equal(see('nelly', 'C:\\Users\\nelly\\code\\app').id, id);
    assert.equal(see('xps', '/home/thh3/code/app', APP).id, id);
    assert.equal(see('rog', '/home/thh3').id, '~');
    assert.equal(see('mac', '/Users/tomerhamam').id, '~');
  });

  it('is two when both have remotes and these differ', () => {
    const { see } = registry();
    assert.equal(see('rog', '/home/thh3/code/app', APP).id, 'code%2Fapp');
    assert.equal(see('mac', '/Users/tomerhamam/code/app', OTHER).id, 'code%2Fapp-2');
    assert.equal(see('mac', '/Users/tomerhamam/code/app', OTHER).id, 'code%2Fapp-2');
  });

  it('ignores case in the path only where a system does', () => {
    const { see } = registry();
    const { id } = see('rog', '/home/thh3/Code/App');
    const other = see('xps', '/home/thh3/code/app').id;
    assert.notEqual(other, id);
    assert.equal(see('mac', '/Users/tomerhamam/code/app').id, other);
    assert.equal(see('nelly', 'C:\\Users\\nelly\\Code\\App').id, id);
  });

  it('is two when the map puts it elsewhere on that machine', () => {
    const { see } = registry({ moderator: { xps: '/srv/moderator', mac: '/Users/tomerhamam/work/moderator' } });
    assert.equal(see('mac', '/Users/tomerhamam/work/moderator').id, 'moderator');
    assert.equal(see('rog', '/home/thh3/work/moderator').id, 'moderator');
    assert.notEqual(see('xps', '/home/thh3/work/moderator').id, 'moderator');
  });

  it('is two when the map says so, although the remote is the same', () => {
    const { see } = registry({ a: { xps: '/srv/a' }, b: { xps: '/srv/b' } });
    assert.equal(see('xps', '/srv/a', APP).id, 'a');
    assert.equal(see('xps', '/srv/b', APP).id, 'b');
    assert.equal(see('xps', '/srv/a', APP).id, 'a');
  });

  it('outside of home is one where the whole path is the same', () => {
    const { see } = registry();
    assert.equal(see('rog', '/srv/x').id, '%2Fsrv%2Fx');
    assert.equal(see('mac', '/srv/x').id, '%2Fsrv%2Fx');
    assert.equal(see('nelly', 'D:\\srv\\x').id, 'D%3A%2Fsrv%2Fx');
  });
});

describe('a checkout', () => {
  it('stays the project it was when its remote is renamed', () => {
    const { see } = registry();
    const { id } = see('rog', '/home/thh3/code/app', APP);
    const renamed = see('rog', '/home/thh3/code/app', OTHER);
    assert.equal(renamed.id, id);
    assert.deepEqual(renamed.project.remotes, [APP, OTHER]);
  });

  it('stays the project it was while its remote cannot be read', () => {
    const { see } = registry();
    see('rog', '/home/thh3/a/app', APP);
    const { id } = see('mac', '/Users/tomerhamam/b/app', APP);
    const unread = see('mac', '/Users/tomerhamam/b/app');
    assert.equal(unread.id, id);
    assert.equal(unread.changed, false);
  });

  it('found later goes first, and places do not change their order by being used', () => {
    const { see } = registry();
    see('rog', '/home/thh3/one', APP);
    const second = see('rog', '/home/thh3/two', APP);
    assert.deepEqual(second.project.places, { rog: ['/home/thh3/two', '/home/thh3/one'] });
    assert.equal(see('rog', '/home/thh3/one', APP).changed, false);
  });

  it('on Windows is one however its drive and slashes are spelled', () => {
    const { see } = registry();
    see('nelly', 'C:\\Users\\nelly\\app');
    assert.equal(see('nelly', 'c:/users/nelly/app/').changed, false);
  });
});

describe('identifying', () => {
  const seens = fc.record({
    machine: fc.constantFrom('xps', 'rog', 'mac', 'nelly'),
    where: fc.constantFrom('code/app', 'code/App', 'dev/app', 'work', ''),
    remote: fc.constantFrom(null, APP, OTHER),
  });
  const map: ExplicitMap = {
    mod: { xps: '~/work', mac: '~/dev/app', nelly: 'C:\\Users\\nelly\\code\\app' },
    two: { rog: '/home/thh3/dev' },
  };
  const pathOf = (machine: string, where: string): string => {
    const top = (HOMES[machine] ?? assert.fail(machine)).home.replace(/^\/C:/, 'C:');
    const path = where === '' ? top : `${top}/${where}`;
    return machine === 'nelly' ? path.replaceAll('/', '\\') : path;
  };

  it('twice changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.array(seens, { maxLength: 12 }), fc.constantFrom({}, map), (all, config) => {
        const { see } = registry(config);
        for (const { machine, where, remote } of all) {
          const first = see(machine, pathOf(machine, where), remote);
          const second = see(machine, pathOf(machine, where), remote);
          assert.deepEqual(second, { ...first, changed: false });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order in which projects are stored', () => {
    fc.assert(
      fc.property(fc.array(seens, { maxLength: 8 }), seens, fc.constantFrom({}, map), (all, last, config) => {
        const { projects, see } = registry(config);
        for (const { machine, where, remote } of all) see(machine, pathOf(machine, where), remote);
        const home = HOMES[last.machine] ?? assert.fail();
        const seen: Seen = {
          machine: last.machine,
          path: pathOf(last.machine, last.where),
          remote: last.remote,
          ...home,
        };
        const forth = identifyProject(projects.values(), seen, config, HOMES);
        const back = identifyProject([...projects.values()].reverse(), seen, config, HOMES);
        assert.deepEqual(forth, back);
      }),
    );
  });

  it('never splits a project that has one remote, in whatever order its checkouts are seen', () => {
    fc.assert(
      fc.property(fc.array(seens, { minLength: 1, maxLength: 12 }), (all) => {
        const { see } = registry();
        for (const { machine, where, remote } of all) see(machine, pathOf(machine, where), remote);
        const again = all.filter(({ remote }) => remote === APP);
        const ids = again.map(({ machine, where, remote }) => see(machine, pathOf(machine, where), remote).id);
        assert.ok(new Set(ids).size <= 1, ids.join(' '));
      }),
      { numRuns: 500 },
    );
  });

  it('never splits a project that the map names, in whatever order its places are seen', () => {
    const places = fc.constantFrom(
      ['xps', 'work'] as const,
      ['mac', 'dev/app'] as const,
      ['nelly', 'code/app'] as const,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(places, seens), { minLength: 1, maxLength: 10 }), (all) => {
        const { see } = registry(map);
        const ids = all.map(([[machine, where], noise]) => {
          see(noise.machine, pathOf(noise.machine, noise.where), noise.remote);
          return see(machine, pathOf(machine, where), noise.remote).id;
        });
        assert.equal(new Set(ids).size, 1, ids.join(' '));
      }),
      { numRuns: 500 },
    );
  });
});

describe('the place of a project on a machine', () => {
  const project: Project = {
    id: 'p',
    remotes: [APP],
    places: { rog: ['/home/thh3/code/app'], mac: ['/Users/tomerhamam/b', '/Users/tomerhamam/a'] },
  };

  it('is what the map says, present when it was seen there', () => {
    const map: ExplicitMap = { p: { rog: '/home/thh3/code/app', xps: '/srv/p', mac: '~/a' } };
    assert.deepEqual(placeOn(project, 'xps', map, HOMES), { path: '/srv/p', present: false });
    assert.deepEqual(placeOn(project, 'mac', map, HOMES), { path: '/Users/tomerhamam/a', present: true });
    const inside: Project = { id: 'q', remotes: [], places: { rog: ['/home/thh3/code/app/web'] } };
    assert.deepEqual(placeOn(inside, 'xps', map, HOMES), { path: '/srv/p/web', present: false });
    assert.deepEqual(placeOn(inside, 'nelly', { p: { ...map['p'], nelly: 'D:\\p' } }, HOMES), {
      path: 'D:\\p\\web',
      present: false,
    });
  });

  it('is the one found last there', () => {
    assert.deepEqual(placeOn(project, 'mac', {}, HOMES), { path: '/Users/tomerhamam/b', present: true });
  });

  it('is, of several checkouts, the one that corresponds to the session', () => {
    const like = { machine: 'rog', path: '/home/thh3/a' };
    assert.deepEqual(placeOn(project, 'mac', {}, HOMES, like), { path: '/Users/tomerhamam/a', present: true });
  });

  it('is the path relative to home where it is not there yet', () => {
    assert.deepEqual(placeOn(project, 'xps', {}, HOMES), { path: '/home/thh3/code/app', present: false });
    assert.deepEqual(placeOn(project, 'nelly', {}, HOMES), { path: 'C:\\Users\\nelly\\code\\app', present: false });
  });

  it('is the literal path outside of home, also of another system', () => {
    const outside: Project = { id: 's', remotes: [], places: { rog: ['/srv/x'] } };
    assert.deepEqual(placeOn(outside, 'mac', {}, HOMES), { path: '/srv/x', present: false });
    assert.deepEqual(placeOn(outside, 'nelly', {}, HOMES), { path: '/srv/x', present: false });
    const drive: Project = { id: 'd', remotes: [], places: { nelly: ['D:\\work'] } };
    assert.deepEqual(placeOn(drive, 'xps', {}, HOMES), { path: 'D:\\work', present: false });
  });

  it('is the same folder everywhere when only the name of the project folder is known', () => {
    const { see } = registry();
    const { id, project: found } = see('rog', '-home-thh3-code-app');
    assert.equal(id, '-home-thh3-code-app');
    assert.deepEqual(placeOn(found, 'mac', {}, HOMES), { path: '-home-thh3-code-app', present: false });
    assert.equal(see('rog', '-home-thh3-code-app').changed, false);
  });

  it('is unknown while no place or no home folder is known', () => {
    assert.equal(placeOn({ id: 'e', remotes: [], places: {} }, 'xps', {}, HOMES), null);
    assert.equal(placeOn(project, 'new', {}, HOMES), null);
  });

  it('is where the project is then recognised', () => {
    const paths = fc.constantFrom('/home/thh3/code/app', '/home/thh3', '/srv/x', '/home/thh3/Code/my app');
    fc.assert(
      fc.property(paths, fc.constantFrom('xps', 'mac', 'nelly'), (path, target) => {
        const { see } = registry();
        const { id, project: found } = see('rog', path);
        const place = placeOn(found, target, {}, HOMES) ?? assert.fail();
        fc.pre(target !== 'nelly' || path.startsWith('/home'));
        assert.equal(see(target, place.path).id, id);
      }),
    );
  });
});

describe('project id', () => {
  it('is a readable part of a key', () => {
    const examples = {
      'code/my.app': 'code%2Fmy.app',
      '/srv/x': '%2Fsrv%2Fx',
      'C:/x': 'C%3A%2Fx',
      nul: '%6Eul',
      '..': '%2E%2E',
      'a.': 'a%2E',
      '100%': '100%25',
    };
    for (const [name, id] of Object.entries(examples)) assert.equal(encodeProjectId(name), id);
    assert.equal(encodeProjectId('code/プロジェクト'), 'code%2Fプロジェクト');
  });

  it('is safe in a key for any name or path', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.constantFrom('.', '..', 'aux.md', 'a~1', '\ud800', ''),
        ),
        (name) => {
          const id = encodeProjectId(name);
          assert.ok(Buffer.byteLength(id) <= 220, id);
          assert.deepEqual(parseKey(keyForProject(id, 'memory/a.md')), {
            kind: 'project-file',
            project: id,
            rest: 'memory/a.md',
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('differs for long names that begin alike', () => {
    assert.notEqual(encodeProjectId(`${'a'.repeat(300)}b`), encodeProjectId(`${'a'.repeat(300)}c`));
  });

  it('that is taken gets a number, also when only its case is another', () => {
    assert.equal(freeProjectId('a', []), 'a');
    assert.equal(freeProjectId('a', ['A', 'a-2']), 'a-3');
  });
});
