import { randomUUID } from 'node:crypto';

/** One line of a conversation, in the shape in which Claude Code records it. */
export interface ConversationLine {
  readonly uuid: string;
  /** JSON without the newline. */
  readonly text: string;
}

/**
 * Writes the lines of one made-up conversation. Each line continues the one before it; `branch` makes a second writer that
 * continues from the same point, as a resume on another machine does.
 */
export class Conversation {
  readonly session: string;
  #parent: string | null;

  constructor(session: string = randomUUID(), parent: string | null = null) {
    this.session = session;
    this.#parent = parent;
  }

  /** A second writer from here on. */
  branch(): Conversation {
    return new Conversation(this.session, this.#parent);
  }

  /** The next line, said in `cwd` at `at` (Unix ms). */
  say(role: 'user' | 'assistant', words: string, cwd: string, at: number): ConversationLine {
    const uuid = randomUUID();
    const message =
      role === 'user'
        ? { role, content: words }
        : { role, id: `msg_${uuid.slice(0, 8)}`, model: 'demo', content: [{ type: 'text', text: words }] };
    const text = JSON.stringify({
      parentUuid: this.#parent,
      isSidechain: false,
      userType: 'external',
      cwd,
      sessionId: this.session,
      version: '2.1.330',
      gitBranch: 'main',
      type: role,
      message,
      uuid,
      timestamp: new Date(at).toISOString(),
    });
    this.#parent = uuid;
    return { uuid, text };
  }
}
