import { appendFile, mkdir, open, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix, win32 } from 'node:path';
import { folderName } from '../../src/core/projects/folder-name.ts';

/** A user's home on one machine: its Claude folder, and a checkout of the project `app`. */
export class Home {
  readonly path: string;
  readonly claudeDir: string;
  /** Where the project `app` is checked out, as the machine itself says it: what its sessions are named after. */
  readonly project: string;

  /**
   * @param path where it lies on this disk.
   * @param called what the machine itself calls it, when that differs: `C:\\Users\\nelly`.
   */
  constructor(path: string, called = path) {
    this.path = path;
    this.claudeDir = join(path, '.claude');
    this.project = (called.includes('\\') ? win32 : posix).join(called, 'code', 'app');
  }

  async make(): Promise<void> {
    await mkdir(join(this.claudeDir, 'projects', folderName(this.project)), { recursive: true, mode: 0o700 });
    await mkdir(join(this.path, 'code', 'app'), { recursive: true });
  }

  /** Absolute path of a file below the Claude folder. */
  file(path: string): string {
    return join(this.claudeDir, path);
  }

  /** Path of a session of the project, below the Claude folder. */
  sessionPath(session: string): string {
    return `projects/${folderName(this.project)}/${session}.jsonl`;
  }

  /** Writes a file as many editors do: in place. */
  async write(path: string, content: string | Uint8Array): Promise<void> {
    const file = this.file(path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, content, { mode: 0o600 });
  }

  /** Writes a file as other editors do: beside it, then renamed over it. */
  async writeByRename(path: string, content: string): Promise<void> {
    const file = this.file(path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(`${file}.tmp`, content, { mode: 0o600 });
    await rename(`${file}.tmp`, file);
  }

  /** Appends as Claude Code does: open, one write of whole lines, close. */
  async append(path: string, ...lines: string[]): Promise<void> {
    const file = this.file(path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, 'a', 0o600);
    try {
      await handle.appendFile(lines.map((line) => `${line}\n`).join(''));
    } finally {
      await handle.close();
    }
  }

  /** Appends bytes as they are, without a newline. */
  async appendBytes(path: string, bytes: Uint8Array | string): Promise<void> {
    const file = this.file(path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await appendFile(file, bytes, { mode: 0o600 });
  }

  /** The file's bytes, `null` when it is not there. */
  async read(path: string): Promise<Buffer | null> {
    try {
      return await readFile(this.file(path));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw error;
    }
  }

  async text(path: string): Promise<string | null> {
    return (await this.read(path))?.toString('utf8') ?? null;
  }

  async remove(path: string): Promise<void> {
    await rm(this.file(path), { recursive: true });
  }

  /** Sets the time of the last change, in days before now. */
  async age(path: string, days: number): Promise<void> {
    const at = Date.now() / 1000 - days * 86_400;
    await utimes(this.file(path), at, at);
  }

  /** Paths of all files below the Claude folder, the hub's own folder left out, sorted. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.claudeDir, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.claudeDir.length + 1))
      .filter((path) => !path.startsWith('.claude-sync/'))
      .sort();
  }
}
