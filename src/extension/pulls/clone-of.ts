import * as vscode from 'vscode';

/** What is used of the API of VS Code's own git extension (version 1). */
interface GitExtension {
  getAPI(version: 1): { readonly repositories: readonly GitRepository[] };
}
interface GitRepository {
  readonly rootUri: vscode.Uri;
  readonly state: { readonly remotes: readonly { readonly fetchUrl?: string; readonly pushUrl?: string }[] };
}

/** Folder of this window that is a clone of a repository; `null` where there is none, or git is switched off. @param repository `owner/name`. */
export async function cloneOf(repository: string): Promise<vscode.Uri | null> {
  const git = vscode.extensions.getExtension<GitExtension>('vscode.git');
  if (git === undefined) return null;
  const { repositories } = (await git.activate()).getAPI(1);
  const wanted = repository.toLowerCase();
  const isOf = ({ fetchUrl, pushUrl }: GitRepository['state']['remotes'][number]): boolean =>
    [fetchUrl, pushUrl].some((url) => url !== undefined && repositoryOf(url) === wanted);
  return repositories.find(({ state }) => state.remotes.some(isOf))?.rootUri ?? null;
}

/** `owner/name` in small letters, of an address as git has it (`https://host/owner/name.git`, `git@host:owner/name`). */
function repositoryOf(url: string): string | null {
  return /[/:]([^/:]+\/[^/]+?)(?:\.git)?\/?$/.exec(url)?.[1]?.toLowerCase() ?? null;
}
