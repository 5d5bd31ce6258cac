import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createChokidarWatch, troubleOf } from '../../../src/hub/replica/chokidar-watch.ts';
import { createCoveredFolderWatch, createFolderWatch } from '../../../src/hub/replica/folder-watch.ts';
import { systemClock } from '../../../src/hub/ports/system.ts';
import { createNodeFileSystem } from '../../../src/hub/replica/node-file-system.ts';
import { scanTree } from '../../../src/hub/replica/scan.ts';
import { createPollWatch } from '../../../src/hub/replica/poll-watch.ts';
import type { Hint } from '../../../src/hub/replica/replica.ts';
import type { WatchSource } from '../../../src/hub/replica/watch-source.ts';
import { Ground } from './ground.ts';

/** Collects hints and lets a test wait for one. */
class Hints {
  readonly all: Hint[] = [];
  #waiting: (() => void)[] = [];

  /** What the scans of told folders found, made when the engine would make them. */
  readonly scanned = new Set<string>();
  root = '';

  readonly take = (hint: Hint): void => {
    this.all.push(hint);
    if (hint.kind === 'folder' && existsSync(join(this.root, hint.path))) {
      for (const name of readdirSync(join(this.root, hint.path), { recursive: true }))
        this.scanned.add(`${hint.path}/${String(name)}`);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** Until hints lead to every path: by name, or by a folder that the engine would scan afterwards. */
  async until(condition: () => boolean, againMs: number | null = null): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        if (againMs !== null) setTimeout(resolve, againMs);
      });
    }
  }

  /** Whether the path was told itself, or found by a scan of a folder that was. */
  leadTo(path: string): boolean {
    return this.has(path) || this.scanned.has(path);
  }

  has(path: string, kind: Hint['kind'] = 'file'): boolean {
    return this.all.some((hint) => hint.path === path && hint.kind === kind);
  }
}

/** Looks every few milliseconds, where the product takes seconds. */
function createQuickPollWatch(root: string, prune: (folder: string) => boolean): WatchSource {
  return createPollWatch({ fs: createNodeFileSystem(root), clock: systemClock, everyMs: 5, prune });
}

/** Folders are watched as a scan comes to them, and every folder that is told is scanned, as the engine does. */
function createScannedFolderWatch(root: string, prune: (folder: string) => boolean): WatchSource {
  const inner = createCoveredFolderWatch(root, prune);
  const fs = createNodeFileSystem(root);
  const scan = (folder: string): Promise<unknown> =>
    scanTree(fs, folder, (path) => !path.endsWith('/') || !prune(path.slice(0, -1)), 0, { cover: inner.cover });
  return {
    name: inner.name,
    async start(onHint, onTrouble) {
      await inner.start((hint) => {
        onHint(hint);
        if (hint.kind === 'folder') scan(hint.path).catch((error: unknown) => onTrouble(String(error)));
      }, onTrouble);
      await scan('');
    },
    close: () => inner.close(),
  };
}

const WATCHES =
  process.platform === 'linux'
    ? [createChokidarWatch, createFolderWatch, createScannedFolderWatch, createQuickPollWatch]
    : [createChokidarWatch, createQuickPollWatch];

for (const create of WATCHES)
  describe(`watching a local folder with ${create.name}`, () => {
    let ground: Ground;
    let hints: Hints;
    let source: WatchSource;
    const troubles: string[] = [];

    beforeEach(async () => {
      ground = new Ground();
      ground.write('agents/a.md', 'text');
      ground.write('projects/-p/s.jsonl', '1\n');
      hints = new Hints();
      hints.root = ground.root;
      troubles.length = 0;
      source = create(ground.root, (folder) => folder === 'cache');
      await source.start(hints.take, (reason) => troubles.push(reason));
    });
    afterEach(async () => {
      await source.close();
      ground.remove();
    });

    it('tells an append, and the next one', async () => {
      for (let i = 0; i < 5; i++) {
        const before = hints.all.length;
        appendFileSync(ground.at('projects/-p/s.jsonl'), '2\n');
        await hints.until(() => hints.all.length > before);
      }
      assert.ok(hints.all.every((hint) => hint.path === 'projects/-p/s.jsonl'));
    });

    it('tells a new file, a removed one, and an atomic save over one, again and again', async () => {
      writeFileSync(ground.at('agents/b.md'), '');
      await hints.until(() => hints.has('agents/b.md'));
      hints.all.length = 0;
      unlinkSync(ground.at('agents/b.md'));
      await hints.until(() => hints.has('agents/b.md'));
      for (let i = 0; i < 20; i++) {
        hints.all.length = 0;
        writeFileSync(ground.at('agents/a.md.tmp'), `text ${i}`);
        renameSync(ground.at('agents/a.md.tmp'), ground.at('agents/a.md'));
        await hints.until(() => hints.has('agents/a.md'));
      }
    });

    it('tells every file created at once in new nested folders', async () => {
      const paths: string[] = [];
      for (let folder = 0; folder < 40; folder++) {
        mkdirSync(ground.at(`projects/-new-${folder}/deep/er`), { recursive: true });
        for (let file = 0; file < 4; file++) {
          const path = `projects/-new-${folder}/deep/er/${file}.jsonl`;
          writeFileSync(ground.at(path), '');
          paths.push(path);
        }
      }
      await hints.until(() => paths.every((path) => hints.leadTo(path)));
      assert.ok(hints.has('projects/-new-0', 'folder'));
    });

    it('tells a folder that is moved in as a folder to scan', async () => {
      const other = new Ground();
      other.write('skill/deep/x.md', '');
      renameSync(other.at('skill'), ground.at('agents/skill'));
      await hints.until(() => hints.has('agents/skill', 'folder') && hints.leadTo('agents/skill/deep/x.md'));
      other.remove();
    });

    it('goes on after a folder was taken away and another one took its place', async () => {
      for (let round = 0; round < 5; round++) {
        rmSync(ground.at('projects/-p'), { recursive: true });
        ground.write(`projects/-p/deep/${round}.jsonl`, '');
        await hints.until(() => hints.leadTo(`projects/-p/deep/${round}.jsonl`));
        await hints.until(() => {
          appendFileSync(ground.at(`projects/-p/deep/${round}.jsonl`), '1\n');
          return hints.has(`projects/-p/deep/${round}.jsonl`);
        }, 20);
      }
    });

    it('follows a folder that is moved within the tree', async () => {
      ground.write('projects/-p/deep/x.jsonl', '');
      await hints.until(() => hints.leadTo('projects/-p/deep/x.jsonl'));
      renameSync(ground.at('projects/-p'), ground.at('projects/-q'));
      await hints.until(() => hints.has('projects/-p', 'folder') && hints.has('projects/-q', 'folder'));
      await hints.until(() => {
        appendFileSync(ground.at('projects/-q/deep/x.jsonl'), '1\n');
        return hints.has('projects/-q/deep/x.jsonl');
      }, 20);
    });

    it('says nothing about pruned folders and its own', async () => {
      ground.write('.claude-sync/tmp/1-ab', '');
      ground.write('cache/x', '');
      writeFileSync(ground.at('agents/last.md'), '');
      await hints.until(() => hints.has('agents/last.md'));
      assert.deepEqual(
        hints.all.filter((hint) => /^(\.claude-sync|cache)/.test(hint.path)),
        [],
      );
      assert.deepEqual(troubles, []);
    });

    it('says what helps when the system runs out of watches', () => {
      assert.match(troubleOf('ENOSPC', new Error('x')), /max_user_watches/);
      assert.match(troubleOf('EMFILE', new Error('x')), /max_user_instances/);
      assert.match(troubleOf('EIO', new Error('broken')), /broken/);
    });
  });
