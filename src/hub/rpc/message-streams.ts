import { Message, type DataCallback, type Disposable } from 'vscode-jsonrpc';
import { StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { BadFrame } from './frame-guard.ts';

/** Requests of one client that may be unanswered at a time; far more than any client of ours has. */
export const MOST_OPEN_REQUESTS = 256;
/** Messages to one client that it may leave unread; beyond that it has stopped reading and would only cost memory. */
export const MOST_UNREAD_MESSAGES = 512;

/** Counts what one client asked and what it has not read yet. */
export class Traffic {
  #openRequests = 0;
  #unread = 0;
  readonly #waiting = new Set<() => void>();

  /** Requests that came and whose answer is not written yet. */
  get openRequests(): number {
    return this.#openRequests;
  }

  /** Messages on their way to the client. */
  get unread(): number {
    return this.#unread;
  }

  /** Resolves as soon as every request is answered and every message taken. Never rejects. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      this.#tell();
    });
  }

  /** A request came in. */
  asked(): void {
    this.#openRequests += 1;
  }

  /** A message is about to be written. */
  sending(): void {
    this.#unread += 1;
  }

  /** A message was written, or never will be; `answer` when it was the answer to a request. */
  sent(answer: boolean): void {
    this.#unread -= 1;
    if (answer) this.#openRequests -= 1;
    this.#tell();
  }

  #tell(): void {
    if (this.#openRequests > 0 || this.#unread > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/**
 * Reads messages and lets through only what has the shape of a request or a notification: the library's dispatcher throws
 * on some shapes (a cancellation without parameters, a request whose id is null), which would take down the reader.
 */
export class CheckedReader extends StreamMessageReader {
  readonly #traffic: Traffic;

  constructor(input: NodeJS.ReadableStream, traffic: Traffic) {
    super(input);
    this.#traffic = traffic;
  }

  override listen(callback: DataCallback): Disposable {
    return super.listen((message) => {
      const reason = this.#refusal(message);
      if (reason !== null) {
        this.fireError(new BadFrame(reason));
        return;
      }
      if (Message.isRequest(message)) this.#traffic.asked();
      callback(message);
    });
  }

  #refusal(message: unknown): string | null {
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return 'not a message object';
    const { jsonrpc, id, method, params } = message as Record<string, unknown>;
    if (jsonrpc !== '2.0') return 'not JSON-RPC 2.0';
    if (typeof method !== 'string' || method.length > 200) return 'no method';
    if (id !== undefined && typeof id !== 'string' && !Number.isSafeInteger(id))
      return 'an id that is no string or integer';
    if (typeof id === 'string' && id.length > 200) return 'an id over 200 characters';
    if (params !== undefined && (typeof params !== 'object' || params === null)) return 'parameters that are no object';
    if (method === '$/cancelRequest' && id === undefined) {
      const target = (params as { id?: unknown } | undefined)?.id;
      if (typeof target !== 'string' && typeof target !== 'number') return 'a cancellation of nothing';
    }
    if (id !== undefined && this.#traffic.openRequests >= MOST_OPEN_REQUESTS) return 'too many open requests';
    return null;
  }
}

/** Writes messages and counts those that the client has not taken yet. */
export class CountingWriter extends StreamMessageWriter {
  readonly #traffic: Traffic;

  constructor(output: NodeJS.WritableStream, traffic: Traffic) {
    super(output);
    this.#traffic = traffic;
  }

  override async write(message: Message): Promise<void> {
    this.#traffic.sending();
    try {
      await super.write(message);
    } finally {
      this.#traffic.sent(Message.isResponse(message));
    }
  }
}
