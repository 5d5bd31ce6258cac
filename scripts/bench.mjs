/**
 * `npm run bench`: builds, and measures the hub against its goals; see bench/main.ts for what can be asked and docs/performance.md for
 * what came out. Arguments are passed on (`npm run bench -- --quick --only append`).
 */
import { join } from 'node:path';
import { ensureInstalled, Failed, giveUp, pinnedNode, ROOT, run } from './bootstrap.mjs';

try {
  ensureInstalled();
  const node = pinnedNode();
  if ((await run(node, [join(ROOT, 'esbuild.mjs'), '--quiet'])) !== 0) throw new Failed('The build failed, see above.');
  process.exitCode = await run(node, [join(ROOT, 'bench', 'main.ts'), ...process.argv.slice(2)]);
} catch (error) {
  giveUp(error);
}
