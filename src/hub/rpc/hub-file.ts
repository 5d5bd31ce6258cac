import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What a running hub says about itself in `hub.json` of its data folder. */
export const HubFileSchema = z.object({
  pid: z.number().int(),
  socket: z.string(),
  version: z.string(),
  /** Unix ms. */
  startedAt: z.number(),
  dataDir: z.string(),
  /** Configuration file, `null` for the embedded default. */
  config: z.string().nullable(),
});
export type HubFile = z.infer<typeof HubFileSchema>;

/** Where the file of a data folder lies. */
export function hubFilePath(dataDir: string): string {
  return join(dataDir, 'hub.json');
}

/**
 * What the hub of this data folder wrote, or `null` when there is no such file, or an unreadable one (no hub of ours wrote it).
 * The file outlives a killed hub: only an answering socket proves that one runs.
 */
export async function readHubFile(dataDir: string): Promise<HubFile | null> {
  let text: string;
  try {
    text = await readFile(hubFilePath(dataDir), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
  try {
    const parsed = HubFileSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Writes the file in one step, 0600, so that a reader sees all of it or nothing. For the owner of the hub's lock only. */
export async function writeHubFile(file: HubFile): Promise<void> {
  const target = hubFilePath(file.dataDir);
  const temp = `${target}.${file.pid}.new`;
  await writeFile(temp, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  await rename(temp, target);
}

/** Removes the file. For the owner of the hub's lock only. */
export async function removeHubFile(dataDir: string): Promise<void> {
  await rm(hubFilePath(dataDir), { force: true });
}
