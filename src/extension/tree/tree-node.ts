import type { CommandId } from '../contributions.ts';

/** What a row of a view is about; commands get it when they are called on the row. */
export type Subject =
  | { readonly kind: 'machine'; readonly machine: string }
  | { readonly kind: 'conflict'; readonly id: number }
  | { readonly kind: 'side'; readonly id: number; readonly machine: string }
  | { readonly kind: 'approval'; readonly id: number }
  | { readonly kind: 'pull'; readonly repository: string; readonly number: number; readonly url: string }
  | { readonly kind: 'session'; readonly session: string }
  | { readonly kind: 'alert'; readonly id: string }
  | { readonly kind: 'text'; readonly text: string };

/** A row of a view, as data: what it says without any of VS Code, so that it can be made and judged without it. */
export interface TreeNode {
  /** Stays the same while the row is about the same thing, so that selection and expansion stay. Unique in its view. */
  readonly id: string;
  /** Harmless text on one line. */
  readonly label: string;
  /** Behind the label, less prominent. */
  readonly description?: string;
  /** A codicon, and the theme colour that it has. */
  readonly icon?: { readonly name: string; readonly color?: string };
  /** Lines of plain text; the first one stands out. */
  readonly tooltip?: readonly string[];
  /** What a screen reader says instead of label and description. */
  readonly spoken?: string;
  /** Words that the `when` clauses of package.json look for (`viewItem =~ /\bpaused\b/`). */
  readonly flags?: readonly string[];
  /** Command that a click or Enter runs, with this row as its argument. */
  readonly opens?: CommandId;
  readonly subject?: Subject;
  /** Rows below it; a function is asked when the row is opened. */
  readonly children?: readonly TreeNode[] | (() => Promise<readonly TreeNode[]>);
  /** Whether it begins open. */
  readonly isOpen?: boolean;
}

/** A row that says one thing about its parent: `label: value`. */
export function factNode(id: string, label: string, value: string, icon?: TreeNode['icon']): TreeNode {
  return {
    id,
    label,
    description: value,
    spoken: `${label}: ${value}`,
    tooltip: [`${label}: ${value}`],
    flags: ['fact'],
    subject: { kind: 'text', text: value },
    ...(icon === undefined ? {} : { icon }),
  };
}
