import { GhGround } from '../fixtures/github/gh-ground.ts';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { until } from '../black-box/ground.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';
import type { View } from './view.ts';

describe('pull requests in VS Code, with the real gh', function () {
  this.timeout(180_000);
  let gh: GhGround;
  let vscode: VsCodeGround;
  let view: View;
  let number: number;

  before(needsWorkbench);
  before(skipWhere(() => GhGround.whyUnavailable()));
  before(async () => {
    gh = await GhGround.open();
    const app = gh.github.addRepository({ owner: 'acme', name: 'app', affiliation: 'ORGANIZATION_MEMBER' });
    ({ number } = gh.github.addPull(app, { title: 'Teach it', author: 'thh3', headRefName: 'teach' }));
    gh.github.addPull(app, { title: 'Look at **this** $(bug)', author: 'jo', requested: ['thh3'] });
    const { GH_CONFIG_DIR } = gh.env;
    vscode = await VsCodeGround.open({ hub: false, ground: { machines: ['rog', 'mac'], env: { GH_CONFIG_DIR } } });
    await vscode.ground.startHub();
    await vscode.ground.settle();
    view = await vscode.workbench.openView('Claude Sync', 'Pull Requests');
  });
  after(async () => {
    await vscode?.close();
    await gh?.close();
  });

  it('are asked for by command, and stand in groups, as they are called', async () => {
    await vscode.workbench.runCommand('Claude Sync: Refresh Pull Requests');
    await view.waitForItem(/^Needs your review, 1 pull request/);
    // Neither markup nor an icon.
    await view.waitForItem(/^Look at \*\*this\*\* \$\(bug\), acme\/app#\d+ by jo/);
    await vscode.workbench.screenshot('pull-requests');
  });

  it('give the command that checks one out', async () => {
    await view.expandItem(/^Others/);
    await view.contextMenu(/^Teach it/, /Copy Checkout Command/);
    const command = `gh pr checkout ${number} --repo acme/app`;
    await until('it is in the clipboard', async () => (await vscode.workbench.clipboard()) === command);
  });

  it('stay when GitHub is away, and say so', async () => {
    await gh.github.disconnect();
    await vscode.workbench.runCommand('Claude Sync: Refresh Pull Requests');
    await view.waitForItem(/^GitHub cannot be reached, as of /);
    await vscode.workbench.screenshot('pulls-away');
    await view.waitForItem(/^Look at/);
  });
});
