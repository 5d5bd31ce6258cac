import type { Head, Key } from '../../../core/domain.ts';
import type { Rule } from '../../../core/rules/classify.ts';
import type { MachineView } from '../context.ts';
import type { Excerpt } from '../excerpt.ts';
import { prefixCursor } from './cursor.ts';
import type { AppendMeta, LogHeads } from './heads.ts';
import type { DivergedCopy, LogMerge, MergedCursor } from './merge.ts';

/** A copy of which is known how far it is the same as its head. */
export interface ComparedCopy extends Pick<DivergedCopy, 'cut' | 'known'> {
  readonly machine: MachineView;
  readonly key: Key;
  /** Verified common prefix of copy and head. */
  readonly common: number;
  /** End of the last whole line of the copy. */
  readonly end: number;
  readonly excerpt: Excerpt;
  readonly rule: Rule;
  readonly meta: AppendMeta;
}

/** Makes one of a head and a copy that begin with the same bytes: append, catch up, or merge. Call with the key's lock held. */
export class LogJoin {
  readonly #heads: LogHeads;
  readonly #merge: LogMerge;

  constructor(heads: LogHeads, merge: LogMerge) {
    this.#heads = heads;
    this.#merge = merge;
  }

  /** @param save stores the copy's cursor; called in the turn of the commit. */
  async join(copy: ComparedCopy, head: Head, save: (head: Head, cursor: MergedCursor) => void): Promise<void> {
    const { machine, key, common, end, excerpt, cut, known, rule, meta } = copy;
    if (common === end) {
      save({ ...head, seq: end === head.size ? head.seq : 0 }, prefixCursor(end));
    } else if (common === head.size) {
      await this.#heads.append(key, excerpt.read(common, end), meta, (made) => save(made, prefixCursor(end)));
    } else {
      const { name, clockOffsetMs } = machine;
      const transcript = rule.class === 'transcript';
      await this.#merge.merge(
        { machine: name, clockOffsetMs, key, common, end, excerpt, cut, known, transcript },
        meta,
        save,
      );
    }
  }
}
