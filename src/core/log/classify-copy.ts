/**
 * How one copy of a log stands to the head, both seen up to their last newline. `common` is the verified common prefix
 * in bytes.
 *
 * - `level`: the same lines.
 * - `behind`: the copy is a prefix of the head; it gets the head's bytes from `common` on.
 * - `ahead`: the head is a prefix of the copy; the copy's bytes from `common` on become the head's.
 * - `diverged`: both have lines after `common` that the other has not; they are merged or forked (docs/sync.md section
 *   4).
 */
export type LogRelation =
  | { readonly kind: 'level' }
  | { readonly kind: 'behind'; readonly common: number }
  | { readonly kind: 'ahead'; readonly common: number }
  | { readonly kind: 'diverged'; readonly common: number };

/**
 * Tells what a copy is to the head. By verified content alone: which of the two is longer says nothing about which is
 * complete.
 *
 * @param headSize bytes of the head (whole lines).
 * @param copyLineBytes bytes of the copy up to its last newline.
 * @param common bytes of their longest common prefix of whole lines.
 * @throws {RangeError} when `common` is longer than one of them: a plan made of that would overwrite lines nobody
 *   compared.
 */
export function relate(headSize: number, copyLineBytes: number, common: number): LogRelation {
  if (!(common >= 0 && common <= Math.min(headSize, copyLineBytes))) {
    throw new RangeError(
      `common prefix of ${common} bytes does not fit head (${headSize}) and copy (${copyLineBytes})`,
    );
  }
  if (common === headSize) return common === copyLineBytes ? { kind: 'level' } : { kind: 'ahead', common };
  return common === copyLineBytes ? { kind: 'behind', common } : { kind: 'diverged', common };
}
