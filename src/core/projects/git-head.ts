/** What a checkout is at: a branch, or a commit when its head is detached. */
export type GitHead = { readonly branch: string } | { readonly commit: string };

/** Reads the content of a git `HEAD` file; `null` when it is none. */
export function gitHeadOf(text: string): GitHead | null {
  const line = text.trim();
  const branch = /^ref: refs\/heads\/([^\s\p{Cc}]{1,1024})$/u.exec(line)?.[1];
  if (branch !== undefined) return { branch };
  return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(line) ? { commit: line } : null;
}
