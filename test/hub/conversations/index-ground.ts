import { mkdtempSync, rmSync, statSync, writeFileSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import type { Entry } from '../../../src/core/conversation/entry.ts';
import { LineReader } from '../../../src/hub/conversations/line-reader.ts';
import { LogIndexer } from '../../../src/hub/conversations/log-indexer.ts';
import { openIndexForReading, openIndexForWriting } from '../../../src/hub/conversations/open-index.ts';
import { search, type SearchHit, type SearchRequest } from '../../../src/hub/conversations/search.ts';
import { findSession, type IndexedSession } from '../../../src/hub/conversations/session-list.ts';
import {
  TranscriptPages,
  type BranchTip,
  type Page,
  type PageRequest,
} from '../../../src/hub/conversations/transcript-pages.ts';

/** The index in this thread, with real files. */
export class IndexGround {
  readonly root = mkdtempSync(join(tmpdir(), 'claude-sync-index-'));
  readonly anew: string[] = [];
  readonly lines = new LineReader();
  #write = this.#openForWriting();
  #indexer = new LogIndexer(this.#write);
  #read = openIndexForReading(this.path)!;

  get path(): string {
    return join(this.root, 'history.db');
  }

  /** For asking. */
  get db(): Database.Database {
    return this.#read;
  }

  /** Ends and opens everything, as a restart does. */
  reopen(between: () => void = () => undefined): void {
    this.#read.close();
    this.#write.close();
    between();
    this.#write = this.#openForWriting();
    this.#indexer = new LogIndexer(this.#write);
    this.#read = openIndexForReading(this.path)!;
  }

  file(session: string, agent: string | null = null): string {
    return join(this.root, agent === null ? `${session}.jsonl` : `${session}-${agent}.jsonl`);
  }

  write(session: string, content: string | Buffer, agent: string | null = null): void {
    rmSync(this.file(session, agent), { force: true });
    writeFileSync(this.file(session, agent), content);
  }

  append(session: string, content: string | Buffer): void {
    appendFileSync(this.file(session), content);
  }

  /** Takes a log in; `most`: bytes of it that are committed. */
  index(
    session: string,
    {
      agent = null,
      project = null,
      most = Infinity,
    }: { agent?: string | null; project?: string | null; most?: number } = {},
  ): boolean {
    const path = this.file(session, agent);
    const size = Math.min(most, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
    const key = agent === null ? `session/${session}` : `session/${session}/subagents/agent-${agent}.jsonl`;
    const pieces = this.#indexer.index({ key, session, agent, project, path, size });
    for (;;) {
      const step = pieces.next();
      if (step.done === true) return step.value;
    }
  }

  remove(session: string): void {
    this.#indexer.remove(`session/${session}`);
    this.#indexer.purge();
  }

  setFileTitle(session: string, title: string | null): void {
    this.#indexer.setFileTitle(session, title);
  }

  session(session: string): IndexedSession | null {
    return findSession(this.#read, session);
  }

  page(session: string, from: PageRequest['from'], more: Partial<PageRequest> = {}): Page {
    const request = { session, from, limit: 20, textLimit: 100_000, dataLimit: 0, ...more };
    return new TranscriptPages(this.#read, this.lines).page(request)!;
  }

  tips(session: string): BranchTip[] {
    return new TranscriptPages(this.#read, this.lines).tips(session);
  }

  /** All entries of a branch, page by page. */
  all(session: string, more: Partial<PageRequest> = {}): Entry[] {
    const entries: Entry[] = [];
    let from: PageRequest['from'] = 'start';
    for (;;) {
      const page = this.page(session, from, more);
      entries.push(...page.entries);
      if (page.after === null) return entries;
      from = { after: page.after };
    }
  }

  /** All hits of a search, page by page. */
  search(query: string, more: Partial<SearchRequest> = {}): SearchHit[] {
    const hits: SearchHit[] = [];
    let cursor: string | undefined;
    do {
      const page = search(this.#read, this.lines, { query, limit: 7, ...more, cursor });
      hits.push(...page.hits);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    return hits;
  }

  close(): void {
    this.lines.close();
    this.#read.close();
    this.#write.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  #openForWriting(): Database.Database {
    return openIndexForWriting(this.path, (reason) => this.anew.push(reason));
  }
}

/** What an entry says, in short. */
export function said(entry: Entry): string {
  const texts = entry.blocks.map((block) => {
    if (block.kind === 'text' || block.kind === 'thinking') return block.text;
    if (block.kind === 'tool') {
      const parts = block.outcome?.parts ?? [];
      return `[${block.name} ${block.summary} -> ${parts.map((part) => (part.kind === 'text' ? part.text : part.kind)).join()}]`;
    }
    return `(${block.kind})`;
  });
  return texts.join(' ');
}
