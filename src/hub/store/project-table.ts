import type { Database } from 'better-sqlite3';
import type { TableShape } from './commit-driver.ts';
import type { ProjectRow, ProjectTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const PROJECTS: TableShape = { name: 'projects', keyColumns: 1, columns: ['id', 'remotes', 'places'] };

/** Table `projects`, in memory. */
export class Projects implements ProjectTable {
  readonly #queue: WriteQueue;
  readonly #rows = new Map<string, ProjectRow>();

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare('SELECT id, remotes, places FROM projects').raw();
    for (const [id, remotes, places] of rows.iterate() as Iterable<[string, string, string]>) {
      this.#rows.set(id, {
        id,
        remotes: JSON.parse(remotes) as ProjectRow['remotes'],
        places: JSON.parse(places) as ProjectRow['places'],
      });
    }
  }

  get(id: string): ProjectRow | undefined {
    return this.#rows.get(id);
  }

  put(row: ProjectRow): void {
    this.#rows.set(row.id, row);
    this.#queue.put(PROJECTS, [row.id, JSON.stringify(row.remotes), JSON.stringify(row.places)]);
  }

  values(): IterableIterator<ProjectRow> {
    return this.#rows.values();
  }
}
