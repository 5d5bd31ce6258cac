import { TEMP_FOLDER } from './private-folder.ts';
import { discardTemp } from './temps.ts';
import { privateName } from './tree-context.ts';
import type { TreeContext } from './tree-context.ts';

/**
 * Machine clock minus hub clock, in ms: a file is made there and its time compared with the middle of the two moments around it.
 * Where times are whole seconds the answer is right to half a second (and half a round trip).
 */
export async function measureClockOffset(context: TreeContext): Promise<number> {
  const path = `${TEMP_FOLDER}/${privateName(context)}`;
  const file = await context.fs.open(path, 'create');
  try {
    const before = context.clock.now();
    await file.write(Buffer.from('\n'));
    const { mtimeMs } = await file.stat();
    const after = context.clock.now();
    const rounding = mtimeMs % 1000 === 0 ? 500 : 0;
    return Math.round(mtimeMs + rounding - (before + after) / 2);
  } finally {
    await file.close();
    await discardTemp(context, path);
  }
}
