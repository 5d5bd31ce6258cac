import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createCoveredFolderWatch, createFolderWatch } from '../../../src/hub/replica/folder-watch.ts';
import { createNodeFileSystem } from '../../../src/hub/replica/node-file-system.ts';
import type { Hint } from '../../../src/hub/replica/replica.ts';
import { scanTree, type ScanWays } from '../../../src/hub/replica/scan.ts';
import { Ground } from './ground.ts';

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 45_000;
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`not within 45 s: ${String(condition)}`);
    await nextTurn();
  }
}

/** Something that is waited for, and let go by the test. */
function gate(): { readonly reached: Promise<void>; readonly pass: () => Promise<void>; readonly open: () => void } {
  let reach = (): void => undefined;
  let open = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { reached, open, pass: () => (reach(), opened) };
}

const isInotify = process.platform === 'linux';

(isInotify ? describe : describe.skip)('a watch that scans tell of folders', () => {
  let ground: Ground;
  let hints: Hint[];
  let watch: ReturnType<typeof createCoveredFolderWatch>;

  beforeEach(() => {
    ground = new Ground();
    hints = [];
    watch = createCoveredFolderWatch(ground.root);
  });
  afterEach(async () => {
    await watch.close();
    ground.remove();
  });

  const fs = () => createNodeFileSystem(ground.root);
  const scan = (folder: string, ways: ScanWays = {}): Promise<unknown> =>
    scanTree(fs(), folder, () => true, 0, { cover: watch.cover, ...ways });
  const start = (): Promise<void> =>
    watch.start(
      (hint) => {
        hints.push(hint);
        if (hint.kind === 'folder') void scan(hint.path);
      },
      (reason) => assert.fail(reason),
    );
  const isTold = (path: string) => (): boolean => hints.some((hint) => hint.path === path);

  it('does not stay with a folder that was replaced while the watch began anew in the middle of a scan', async () => {
    ground.write('skills/x/SKILL.md', 'old');
    await start();
    await scan('');
    const { reached, pass, open } = gate();
    const older = scan('', { listMany: async (level) => (level.includes('skills') ? (await pass(), null) : null) });
    await reached;
    await start();
    open();
    await older;
    // Nobody watches what is above it: there is no event for this.
    renameSync(ground.at('skills'), ground.at('away'));
    ground.write('skills/x/SKILL.md', 'another');
    await scan('');
    writeFileSync(ground.at('skills/x/SKILL.md'), 'changed');
    await until(isTold('skills/x/SKILL.md'));
  });

  it('does not stay with a folder that was replaced before its parent, made anew, was noticed', async () => {
    ground.write('a/x/f', 'old');
    await start();
    await scan('');
    const { reached, pass, open } = gate();
    const older = scan('', {
      cover(folders) {
        if (!folders.includes('a/x')) return watch.cover(folders);
        mkdirSync(ground.at('a/x'), { recursive: true });
        watch.cover(folders);
        rmdirSync(ground.at('a/x'));
        mkdirSync(ground.at('a/x'));
      },
      async listMany(level) {
        if (!level.includes('a')) return null;
        const listing = await fs().list('a');
        await pass();
        return [listing];
      },
    });
    await reached;
    rmSync(ground.at('a'), { recursive: true });
    await until(isTold('a'));
    open();
    await older;
    hints.length = 0;
    await until(isTold('a'));
    await scan('');
    writeFileSync(ground.at('a/x/f'), 'new');
    await until(isTold('a/x/f'));
  });

  for (const create of [createCoveredFolderWatch, createFolderWatch])
    it(`goes on in another folder that takes the place of the whole tree at once (${create.name})`, async () => {
      watch = create(ground.root) as typeof watch;
      ground.write('skills/SKILL.md', 'old');
      await start();
      await scan('');
      cpSync(ground.root, `${ground.root}-copy`, { recursive: true });
      renameSync(ground.root, `${ground.root}-old`);
      renameSync(`${ground.root}-copy`, ground.root);
      try {
        await until(isTold(''));
        await scan('');
        writeFileSync(ground.at('skills/SKILL.md'), 'new');
        await until(isTold('skills/SKILL.md'));
      } finally {
        rmSync(`${ground.root}-old`, { recursive: true });
      }
    });
});
