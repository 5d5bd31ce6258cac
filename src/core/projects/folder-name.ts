/** Encodings longer than this are cut and made unique by a hash. */
const LONGEST_PLAIN = 200;

/**
 * Name of the folder below `projects/` in which Claude Code keeps the sessions of `absolutePath`.
 * The path has to be spelled as on its machine (`C:\Users\nelly` on Windows), with symlinks resolved, since every UTF-16 unit
 * counts. The name cannot be decoded again, and two paths can share one (`my.app` and `my-app`).
 */
export function folderName(absolutePath: string): string {
  const encoded = absolutePath.replace(/[^A-Za-z0-9]/g, '-');
  if (encoded.length <= LONGEST_PLAIN) return encoded;
  return `${encoded.slice(0, LONGEST_PLAIN)}-${hash36(absolutePath)}`;
}

/** 32-bit `h = h * 31 + unit` over the UTF-16 units; its absolute value in base 36. */
function hash36(text: string): string {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return Math.abs(hash).toString(36);
}
