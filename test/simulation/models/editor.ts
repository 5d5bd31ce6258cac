import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import { hasTranscript, pathOfDocument } from '../places.ts';
import { parentPath } from '../volume.ts';
import type { ProgramContext } from './claude-cli.ts';

/** Documents that users of a simulated world edit. `memory:` ones belong to a project. */
export function documentNames(projects: readonly string[]): string[] {
  const plain = [
    'CLAUDE.md',
    'agents/a.md',
    'agents/B.md',
    'rules/r.md',
    'commands/c.md',
    'skills/x/SKILL.md',
    'skills/x/run.sh',
    'plans/p.md',
  ];
  return [...plain, ...projects.slice(0, 2).map((project) => `memory:${project}/MEMORY.md`)];
}

/** A user with an editor on one machine. */
export class Editor {
  readonly #context: ProgramContext;
  readonly #projects: readonly string[];

  constructor(context: ProgramContext, projects: readonly string[]) {
    this.#context = context;
    this.#projects = projects;
  }

  /** Changes one line of the document (or makes it), saved in place, by temp and rename, or by delete and create. */
  edit(document: string): void {
    const { prng, machine, ledger } = this.#context;
    const path = pathOfDocument(machine, document, this.#projects);
    // Memory is written by a session of its project, and its folder is told by the sessions in it.
    if (document.startsWith('memory:') && !hasTranscript(machine, path)) return;
    const before =
      machine.content(path)?.toString('latin1') ??
      Array.from({ length: 6 }, (_, i) => `${document} line ${i}\n`).join('');
    const lines = before.split('\n');
    lines[prng.int(0, Math.max(0, lines.length - 2))] = `${machine.name} wrote ${prng.hex(6)}`;
    const content = Buffer.from(lines.join('\n'), 'latin1');
    const how = prng.weighted({ inPlace: 5, rename: 4, recreate: 1 });
    if (how === 'inPlace') return this.#save(document, path, content);
    if (how === 'recreate') {
      this.remove(document);
      return void this.#context.scheduler.after(prng.int(10, 2500), `${machine.name} re-creates ${document}`, () =>
        this.#save(document, path, content),
      );
    }
    const temp = `${path}.tmp.${prng.hex(3)}`;
    this.#attempt(() => {
      machine.write(temp, content);
      this.#context.scheduler.after(prng.int(0, 30), `${machine.name} renames ${document} into place`, () =>
        this.#attempt(() => {
          machine.volume.rename(machine.at(temp), machine.at(path), true);
          ledger.documentWritten(machine.name, document, content);
        }),
      );
    });
  }

  /** Deletes the document if it is there. */
  remove(document: string): void {
    const { machine, ledger } = this.#context;
    const path = machine.at(pathOfDocument(machine, document, this.#projects));
    this.#attempt(() => {
      if (!machine.volume.find(path)) return;
      machine.volume.unlink(path);
      ledger.documentRemoved(machine.name, document);
    });
  }

  #save(document: string, path: string, content: Buffer): void {
    const { machine, ledger } = this.#context;
    this.#attempt(() => {
      machine.volume.makeFolders(machine.at(parentPath(path)));
      if (machine.volume.busy(machine.at(path))) return;
      machine.write(path, content);
      ledger.documentWritten(machine.name, document, content);
    });
  }

  /** An editor that meets a sealed folder or a file in use shows an error and leaves things as they are. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!FileSystemError.is(error, 'denied', 'busy', 'missing')) throw error;
    }
  }
}
