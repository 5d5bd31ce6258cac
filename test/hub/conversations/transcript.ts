import { randomUUID } from 'node:crypto';

/** Writes a transcript as Claude Code does, record by record. */
export class Transcript {
  readonly lines: string[] = [];
  readonly session: string;
  readonly #agent: string | null;
  #parent: string | null = null;
  #time = Date.parse('2026-03-01T10:00:00.000Z');
  #calls = 0;

  constructor(session: string = randomUUID(), agent: string | null = null) {
    this.session = session;
    this.#agent = agent;
  }

  get text(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }

  /** Goes on from an earlier record, as after a rewind. */
  from(uuid: string | null): this {
    this.#parent = uuid;
    return this;
  }

  /** A record of the tree; returns its uuid. */
  add(record: object): string {
    const uuid = randomUUID();
    this.#time += 1_000;
    const common = {
      parentUuid: this.#parent,
      isSidechain: this.#agent !== null,
      ...(this.#agent === null ? {} : { agentId: this.#agent }),
      cwd: '/home/u/app',
      sessionId: this.session,
      version: '2.1.330',
      gitBranch: 'main',
      timestamp: new Date(this.#time).toISOString(),
      uuid,
    };
    this.lines.push(JSON.stringify({ ...common, ...record }));
    this.#parent = 'uuid' in record ? (record.uuid as string) : uuid;
    return this.#parent;
  }

  /** A record without uuid. */
  state(record: object): void {
    this.lines.push(JSON.stringify({ ...record, sessionId: this.session }));
  }

  prompt(text: string, more: object = {}): string {
    return this.add({ type: 'user', message: { role: 'user', content: text }, ...more });
  }

  answer(text: string, more: object = {}): string {
    const usage = { input_tokens: 10, output_tokens: 20 };
    const message = {
      id: `msg_${randomUUID()}`,
      role: 'assistant',
      model: 'claude',
      content: [{ type: 'text', text }],
      usage,
    };
    return this.add({ type: 'assistant', message, ...more });
  }

  /** A call and what it returned; `output: null`: nothing yet. */
  tool(name: string, input: object, output: string | object[] | null, more: object = {}): string {
    const id = `toolu_${this.session}_${++this.#calls}`;
    const content = [{ type: 'tool_use', id, name, input }];
    const used = this.add({
      type: 'assistant',
      message: { id: `msg_${id}`, role: 'assistant', model: 'claude', content },
    });
    if (output === null) return used;
    const result = { type: 'tool_result', tool_use_id: id, content: output };
    return this.add({ type: 'user', message: { role: 'user', content: [result] }, ...more });
  }

  checkpoint(leafUuid: string): void {
    this.state({ type: 'last-prompt', leafUuid });
  }
}
