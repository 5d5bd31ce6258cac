import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import type { SimulatedMachine } from '../machine.ts';
import { splitLines } from '../oracle/ledger.ts';
import { placeOf } from '../places.ts';
import { nameOf, parentPath } from '../volume.ts';
import type { ProgramContext } from './claude-cli.ts';

/** A copy of a whole claudeDir, as a backup tool would make it. */
export type Backup = ReadonlyMap<string, { readonly bytes: Buffer; readonly mtimeMs: number }>;

/**
 * What happens to files without anybody writing a conversation: clean-up, lost disks, restored backups, unreadable folders,
 * secrets in the wrong place. Each tells the ledger what its machine lost.
 */
export class Mishaps {
  readonly #context: ProgramContext;
  readonly #projects: readonly string[];

  constructor(context: ProgramContext, projects: readonly string[]) {
    this.#context = context;
    this.#projects = projects;
  }

  /** Claude's own clean-up: sessions, sidecars and plans that nobody touched for `ageMs` go (live sessions never). */
  sweep(ageMs: number, live: ReadonlySet<string>): number {
    const { machine } = this.#context;
    let removed = 0;
    for (const path of machine.files()) {
      const place = placeOf(machine, path, this.#projects);
      if (
        !place || place.kind === 'document'
          ? !/^(plans\/|paste-cache\/)/.test(path) && (place?.session ?? null) === null
          : place.session === null
      )
        continue;
      const session = place?.session ?? null;
      if (session !== null && live.has(session)) continue;
      const inode = machine.volume.find(machine.at(path));
      if (!inode || machine.now() - inode.mtimeMs < ageMs) continue;
      if (this.removeFile(path, 'swept')) removed++;
    }
    return removed;
  }

  /** Removes one file as its user or a program of the machine would. @returns whether it was there. */
  removeFile(path: string, how: string): boolean {
    const { machine, ledger } = this.#context;
    try {
      const bytes = machine.content(path);
      if (bytes === null) return false;
      machine.volume.unlink(machine.at(path));
      const place = placeOf(machine, path, this.#projects);
      if (place?.kind === 'log') {
        ledger.linesRemoved(machine.name, place.log, splitLines(bytes).whole, how);
        ledger.removals.add(`${machine.name} ${place.log}`);
      } else if (place) {
        ledger.documentRemoved(machine.name, place.document);
      }
      return true;
    } catch (error) {
      if (FileSystemError.is(error, 'denied', 'busy', 'missing')) return false;
      throw error;
    }
  }

  /** The disk is new: claudeDir is there and empty. */
  emptyDisk(): void {
    const { machine } = this.#context;
    for (const path of machine.files())
      if (!path.startsWith('.claude-sync/')) this.removeFile(path, 'lost with the disk');
    for (const { name } of machine.volume.list(machine.root)) machine.volume.removeTree(machine.at(name));
  }

  /** A copy of everything but the product's own folder's temps. */
  backup(): Backup {
    const { machine } = this.#context;
    const copy = new Map<string, { bytes: Buffer; mtimeMs: number }>();
    for (const path of machine.files()) {
      const inode = machine.volume.find(machine.at(path));
      if (inode) copy.set(path, { bytes: machine.volume.read(inode, 0, inode.size), mtimeMs: inode.mtimeMs });
    }
    return copy;
  }

  /** The whole folder goes back to what it was: newer files vanish, changed ones become old. */
  restore(backup: Backup): void {
    const { machine, ledger } = this.#context;
    for (const path of machine.files())
      if (!backup.has(path) && !path.startsWith('.claude-sync/')) this.removeFile(path, 'gone with the old backup');
    for (const [path, { bytes, mtimeMs }] of backup) {
      if (path.startsWith('sessions/')) continue;
      const now = machine.content(path);
      const place = placeOf(machine, path, this.#projects);
      if (now !== null && !now.equals(bytes) && place?.kind === 'log') {
        ledger.linesRemoved(machine.name, place.log, missingLines(now, bytes), 'gone with the old backup');
      }
      if (now !== null && now.equals(bytes)) continue;
      if (place?.kind === 'document') ledger.documentWritten(machine.name, place.document, bytes);
      machine.volume.removeTree(machine.at(path));
      machine.write(path, bytes);
      const inode = machine.volume.find(machine.at(path));
      if (inode) inode.mtimeMs = mtimeMs;
    }
  }

  /** Ten or so of the user's files go at once, by hand. */
  deleteMany(count: number): void {
    const { machine, prng } = this.#context;
    const files = machine.files().filter((path) => placeOf(machine, path, this.#projects)?.kind === 'document');
    for (let i = 0; i < count && files.length > 0; i++)
      this.removeFile(files.splice(prng.int(0, files.length - 1), 1)[0] as string, 'deleted');
  }

  /** Puts a secret where the folder around it travels. */
  plantSecret(): void {
    const { machine, prng, ledger } = this.#context;
    const path = prng.pick([
      'skills/x/.env',
      'skills/x/.ENV',
      'agents/.credentials.json',
      'skills/x/id_ed25519',
      '.credentials.json',
      'settings.local.json',
      'skills/x/cert.pem',
      'skills/x/.git/config',
      'ide/4711.lock',
      'unknown/file.txt',
      'file-history/abc/1@v1',
    ]);
    const marker = `SECRET-${prng.hex(6)}`;
    ledger.secrets.set(marker, machine.name);
    try {
      machine.write(path, Buffer.from(`token=${marker}\n`));
    } catch (error) {
      if (!FileSystemError.is(error, 'denied', 'busy')) throw error;
    }
  }

  /** A symlink that leads out of the tree to something private. */
  plantSymlink(): void {
    const { machine, prng, ledger } = this.#context;
    const marker = `SECRET-${prng.hex(6)}`;
    ledger.secrets.set(marker, machine.name);
    const outside = `${parentPath(machine.root)}/private-${prng.hex(2)}.md`;
    const link = machine.at(prng.pick(['agents/linked.md', 'skills/linked', 'rules/linked.md']));
    if (machine.volume.find(link)) return;
    machine.volume.rewriteFrom(machine.volume.createFile(outside), 0, Buffer.from(`${marker}\n`));
    machine.volume.makeFolders(parentPath(link));
    machine.volume.symlink(link, `../../${nameOf(outside)}`);
  }

  /** A file whose name not every system can hold. */
  plantUnsafeName(): void {
    const { machine, prng } = this.#context;
    if (machine.spec.os === 'windows') return;
    machine.write(
      `agents/${prng.pick(['what?:.md', 'con.md', 'dot.', 'tab\tname.md', 'back\\slash.md'])}`,
      Buffer.from(`odd name ${prng.hex(3)}\n`),
    );
  }

  /** A folder cannot be read for `ms`. */
  seal(folder: string, ms: number): void {
    const { machine, scheduler } = this.#context;
    const inode = machine.volume.find(machine.at(folder));
    if (inode?.type !== 'folder' || inode.sealed) return;
    inode.sealed = true;
    scheduler.after(ms, `${machine.name} ${folder} is readable again`, () => {
      inode.sealed = false;
    });
  }

  /** Somebody copies a session by hand into another machine's folder of the project (what one did before there was sync). */
  copyByHand(session: string, project: string, target: SimulatedMachine): boolean {
    const { machine } = this.#context;
    const from = machine.files('projects').find((path) => path.endsWith(`/${session}.jsonl`));
    const bytes = from === undefined ? null : machine.content(from);
    const to = `projects/${target.projectFolder(project)}/${session}.jsonl`;
    if (!bytes || target.files('projects').some((path) => path.endsWith(`/${session}.jsonl`))) return false;
    target.write(to, bytes);
    return true;
  }
}

function missingLines(before: Buffer, after: Buffer): string[] {
  const left = new Set(splitLines(after).whole);
  return splitLines(before).whole.filter((text) => !left.has(text));
}
