import { createHash } from 'node:crypto';
import { applySettings, extractSettings } from '../../../core/settings/merge-settings.ts';
import type { Head, Pair } from '../../../core/domain.ts';
import type { Rule } from '../../../core/rules/classify.ts';
import { ArchiveDamaged, type Staged } from '../../archive/archive.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { collect, once } from '../excerpt.ts';

/** Settings files are small; a larger one is not read. */
const SETTINGS_LIMIT = 1024 * 1024;

/**
 * What of a machine's file is synced, and how the head is written into it: everything, byte for byte, except for
 * `settings.json`, of which only the allowed keys travel and whose other bytes stay the machine's own.
 */
export class FileView {
  readonly #ctx: EngineContext;

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
  }

  /** The synced part of the copy, staged; a sentence when the copy cannot be read as what it should be. */
  async stage(
    machine: MachineView,
    pair: Pair,
    rule: Rule,
    size: number,
  ): Promise<Staged | { readonly unreadable: string }> {
    if (rule.merge !== 'keys') return this.#ctx.archive.stage(machine.replica.read(pair.path, 0, size));
    if (size > SETTINGS_LIMIT) return { unreadable: 'settings file is larger than 1 MB' };
    const extracted = extractSettings(await collect(machine.replica.read(pair.path, 0, size)));
    if (extracted.kind === 'unreadable') return { unreadable: extracted.reason };
    return this.#ctx.archive.stage(once(extracted.canonical));
  }

  /**
   * The bytes that put `head` into the copy, which is `size` bytes long now (`null`: not there). Reading them fails with
   * `ArchiveDamaged` when they are not the head's: another machine's change may have taken its place since it was looked up.
   */
  async render(
    machine: MachineView,
    pair: Pair,
    rule: Rule,
    size: number | null,
    head: Head,
  ): Promise<{ size: number; content: () => AsyncIterable<Buffer> }> {
    const { archive } = this.#ctx;
    const headBytes = (): AsyncIterable<Buffer> => verified(archive.read(pair.key, 0, head.size), head);
    if (rule.merge !== 'keys') return { size: head.size, content: headBytes };
    const present = size === null ? null : await collect(machine.replica.read(pair.path, 0, size));
    const previous =
      pair.base?.hash && (await archive.holds(pair.base.hash))
        ? await collect(archive.readVersion(pair.base.hash))
        : null;
    const bytes = applySettings(present, await collect(headBytes()), previous);
    return { size: bytes.length, content: () => once(bytes) };
  }
}

/** Passes the bytes on and fails at their end, before anything is made of them, when they are not the head's. */
async function* verified(bytes: AsyncIterable<Buffer>, head: Head): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const part of bytes) {
    hash.update(part);
    yield part;
  }
  const found = hash.digest('hex');
  if (found !== head.hash) throw new ArchiveDamaged(head.key, found, head.hash ?? 'no hash');
}
