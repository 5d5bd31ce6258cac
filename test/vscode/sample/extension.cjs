/** Has one of each thing that workbench.test.ts presses, and says in the status bar what was pressed. */
const { writeFileSync } = require('node:fs');
const vscode = require('vscode');

const FRUITS = [
  { label: 'Apple', description: 'red', children: [{ label: 'Seed' }] },
  { label: 'Pear', description: 'green' },
];

exports.activate = ({ subscriptions }) => {
  const item = vscode.window.createStatusBarItem('sample.status', vscode.StatusBarAlignment.Left);
  const say = (text) => {
    item.text = `$(beaker) said: ${text}`;
    item.tooltip = `tooltip of ${text}`;
  };
  say('hello');
  item.show();

  const fruits = vscode.window.createTreeView('sample.fruits', {
    treeDataProvider: {
      getChildren: (fruit) => (fruit === undefined ? FRUITS : (fruit.children ?? [])),
      getTreeItem: ({ label, description, children }) => ({
        label,
        description,
        id: label,
        contextValue: description === undefined ? undefined : 'fruit',
        collapsibleState: children === undefined ? 0 : 1,
      }),
    },
  });
  fruits.badge = { value: 7, tooltip: 'seven fruits' };
  const empty = vscode.window.createTreeView('sample.empty', { treeDataProvider: { getChildren: () => [] } });

  const texts = vscode.workspace.registerTextDocumentContentProvider('sample', {
    provideTextDocumentContent: ({ path }) => `first line\n  of ${path}\n`,
  });
  const commands = {
    pick: async () => {
      const items = [
        { label: 'one', description: 'uno' },
        { label: 'two', detail: 'below it' },
      ];
      say(`picked ${(await vscode.window.showQuickPick(items, { title: 'Numbers', placeHolder: 'Which?' }))?.label}`);
    },
    ask: async () => {
      const validateInput = (text) => (text === 'bad' ? 'Not that.' : undefined);
      say(`asked ${await vscode.window.showInputBox({ title: 'Name', prompt: 'Yours', validateInput })}`);
    },
    tell: async () => say(`told ${await vscode.window.showWarningMessage('Look at this', 'Fine', 'No')}`),
    confirm: async () => {
      const options = { modal: true, detail: 'It cannot be undone.' };
      say(`confirmed ${await vscode.window.showWarningMessage('Really?', options, 'Do it')}`);
    },
    compare: async () => {
      const file = vscode.Uri.joinPath(vscode.workspace.workspaceFolders[0].uri, 'right.txt');
      writeFileSync(file.fsPath, 'on disk\n');
      await vscode.commands.executeCommand('vscode.diff', vscode.Uri.parse('sample:/left'), file, 'Left and right');
    },
    page: () => {
      const panel = vscode.window.createWebviewPanel('sample', 'Page', vscode.ViewColumn.One, { enableScripts: true });
      panel.webview.html = '<!doctype html><h1>Title in a page</h1><button onclick="this.textContent=1">Zero</button>';
    },
    fruit: ({ label }) => say(`ate ${label}`),
    hidden: () => say('hidden'),
    done: () => say('done'),
  };
  for (const [name, run] of Object.entries(commands))
    subscriptions.push(vscode.commands.registerCommand(`sample.${name}`, run));
  subscriptions.push(item, fruits, empty, texts);
};
