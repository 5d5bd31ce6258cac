import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { plainLine } from '../../client/plain-text.ts';
import { ConfigError, type ConfigIssue } from '../../hub/config/config-error.ts';
import { beyondSchema, parseConfig } from '../../hub/config/parse.ts';
import { SocketPathTooLong } from '../../hub/config/paths.ts';
import { places } from './places.ts';

/** Where the editor itself holds a file against the generated schema (`jsonValidation` of package.json). */
const HAS_SCHEMA = /[\\/]claude-sync[\\/]config\.jsonc$/;

/**
 * Marks what the hub would refuse in a configuration file while it is being edited, with the hub's own code. What the schema says, the
 * editor says already where it knows the file.
 */
export class ConfigDiagnostics implements vscode.Disposable {
  readonly #marks = vscode.languages.createDiagnosticCollection('claude-sync');
  readonly #listening: vscode.Disposable;

  constructor() {
    this.#listening = vscode.Disposable.from(
      vscode.workspace.onDidOpenTextDocument((document) => this.#check(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#check(document)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#marks.delete(uri)),
    );
    for (const document of vscode.workspace.textDocuments) this.#check(document);
  }

  dispose(): void {
    this.#listening.dispose();
    this.#marks.dispose();
  }

  #check(document: vscode.TextDocument): void {
    const { uri } = document;
    if (!['file', 'untitled'].includes(uri.scheme)) return;
    const hasSchema = HAS_SCHEMA.test(uri.fsPath);
    if (!hasSchema && uri.fsPath !== configFile()) return;
    const text = document.getText();
    const found = hasSchema ? beyondSchema(text, homedir()) : issuesOf(text, uri.fsPath);
    this.#marks.set(
      uri,
      found.map((issue) => diagnostic(document, issue)),
    );
  }
}

/** `null` where the places make no sense; whoever connects is told of that. */
function configFile(): string | null {
  try {
    return places().configFile;
  } catch (error) {
    if (error instanceof SocketPathTooLong) return null;
    throw error;
  }
}

function issuesOf(text: string, file: string): readonly ConfigIssue[] {
  try {
    parseConfig(text, file, homedir());
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

function diagnostic(document: vscode.TextDocument, { line, column, at, reason }: ConfigIssue): vscode.Diagnostic {
  const start = document.validatePosition(new vscode.Position(line - 1, column - 1));
  const word = document.getWordRangeAtPosition(start, /"[^"]*"|[^\s,:{}[\]]+/);
  const message = at === '' ? reason : `${at}: ${reason}`;
  const made = new vscode.Diagnostic(word ?? new vscode.Range(start, start), plainLine(message));
  made.source = 'Claude Sync';
  return made;
}
