import * as vscode from 'vscode';
import type { ViewId } from '../contributions.ts';
import { escapeMarkdown } from '../figures.ts';
import type { TreeNode } from './tree-node.ts';

/** How a view is made. */
export interface NodeViewOptions {
  readonly id: ViewId;
  /** All rows at the top, made anew each time: rows are told apart by their ids. */
  readonly rows: () => readonly TreeNode[];
  /** Number on the icon of the view, and what it counts; `null` for none. */
  readonly badge?: () => { readonly value: number; readonly tooltip: string } | null;
}

/** A tree view of rows that are plain data. */
export class NodeView implements vscode.Disposable {
  readonly #options: NodeViewOptions;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #view: vscode.TreeView<TreeNode>;
  #parents = new Map<string, TreeNode>();
  /** Its rows as they were told last, but for those that are asked for. */
  #drawn: string | null = null;

  constructor(options: NodeViewOptions) {
    this.#options = options;
    this.#view = vscode.window.createTreeView(options.id, {
      treeDataProvider: {
        onDidChangeTreeData: this.#changed.event,
        getTreeItem: treeItem,
        getChildren: (node) => this.#childrenOf(node),
        getParent: ({ id }) => this.#parents.get(id),
      },
      showCollapseAll: true,
    });
    this.refresh();
  }

  /**
   * Shows what is so now. Rows that are the same stay as they are drawn: one that is drawn anew under the pointer does not hear its click.
   * @param anew also where they are the same, for rows that are asked for when they are opened.
   */
  refresh({ anew = false } = {}): void {
    const badge = this.#options.badge?.() ?? null;
    this.#view.badge = badge === null || badge.value === 0 ? undefined : badge;
    const rows = JSON.stringify(this.#options.rows());
    if (!anew && rows === this.#drawn) return;
    this.#drawn = rows;
    this.#changed.fire(undefined);
  }

  /** Brings a row into view, selected. Nothing happens when there is none with this id at the top. */
  async reveal(id: string): Promise<void> {
    const node = this.#options.rows().find((row) => row.id === id);
    if (node !== undefined) await this.#view.reveal(node, { select: true, focus: true, expand: true });
  }

  dispose(): void {
    this.#view.dispose();
    this.#changed.dispose();
  }

  async #childrenOf(node: TreeNode | undefined): Promise<TreeNode[]> {
    if (node === undefined) {
      this.#parents = new Map();
      return [...this.#options.rows()];
    }
    const { children = [] } = node;
    const rows = typeof children === 'function' ? await children() : children;
    for (const row of rows) this.#parents.set(row.id, node);
    return [...rows];
  }
}

function treeItem(node: TreeNode): vscode.TreeItem {
  const { id, label, description, icon, tooltip, spoken, flags, opens, children, isOpen } = node;
  const state = vscode.TreeItemCollapsibleState;
  const hasRows = typeof children === 'function' || (children?.length ?? 0) > 0;
  const item = new vscode.TreeItem(label, hasRows ? (isOpen ? state.Expanded : state.Collapsed) : state.None);
  item.id = id;
  if (description !== undefined) item.description = description;
  if (icon !== undefined)
    item.iconPath = new vscode.ThemeIcon(
      icon.name,
      icon.color === undefined ? undefined : new vscode.ThemeColor(icon.color),
    );
  item.tooltip = tooltipOf(tooltip ?? [label]);
  item.accessibilityInformation = { label: spoken ?? [label, description].filter(Boolean).join(', ') };
  if (flags !== undefined) item.contextValue = flags.join(' ');
  // The rows' own action: opening it closes a fold, so only rows that do something have one.
  if (opens !== undefined) item.command = { command: opens, title: label, arguments: [node] };
  return item;
}

/** Names and messages come from other machines: they are escaped, so that none of it is markup. */
function tooltipOf(lines: readonly string[]): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  for (const [index, line] of lines.entries()) {
    if (index > 0) markdown.appendMarkdown('\n\n');
    markdown.appendMarkdown(escapeMarkdown(line));
  }
  return markdown;
}
