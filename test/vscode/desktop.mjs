/**
 * `node test/vscode/desktop.mjs [VERSION]`: the tests of test/vscode/host in the desktop build of VS Code, which @vscode/test-electron
 * downloads: where that is possible, and with a display (`xvfb-run` on a server). `CLAUDE_SYNC_VSCODE_PATH` names one that is there
 * already. The same bundle of tests runs in VS Code's server as part of `npm test` (host.test.ts).
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { hostBundle } from './host-bundle.ts';
import { OUTCOME_FILE } from './host/outcome.ts';
import { packed } from './packed.ts';

const version = process.argv[2] ?? 'stable';
const home = await mkdtemp(join(tmpdir(), 'csd-'));
const { module, folder } = await hostBundle();
const file = join(home, 'outcome.json');
try {
  const executable = process.env.CLAUDE_SYNC_VSCODE_PATH ?? (await download());
  const { folder: extensionDevelopmentPath } = await packed();
  let code = 1;
  try {
    code = await runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath,
      extensionTestsPath: module,
      extensionTestsEnv: { [OUTCOME_FILE]: file, HOME: home, CLAUDE_SYNC_DATA_DIR: join(home, 'data') },
      launchArgs: [
        ...['--user-data-dir', join(home, 'user'), '--extensions-dir', join(home, 'extensions')],
        ...['--disable-workspace-trust', '--disable-extensions', '--skip-welcome', '--no-sandbox'],
      ],
    });
  } catch (error) {
    // Its own word for a failed test; which one is in the outcome.
    console.error(String(error));
  }
  report(JSON.parse(await readFile(file, 'utf8')));
  process.exitCode = code;
} catch (error) {
  console.error(`the desktop build did not run the tests: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
}

async function download() {
  try {
    return await downloadAndUnzipVSCode(version);
  } catch (error) {
    throw new Error(
      `VS Code ${version} cannot be downloaded here (${error instanceof Error ? error.message : error})`,
      {
        cause: error,
      },
    );
  }
}

function report({ tests, measured, vscode, error }) {
  console.log(`VS Code ${vscode}`);
  for (const { suites, title, state, error: failure } of tests) {
    console.log(`${state}: ${[...suites, title].join(' ')}${failure === null ? '' : `\n${failure}`}`);
  }
  for (const [name, ms] of Object.entries(measured)) console.log(`${name}: ${ms.toFixed(1)} ms`);
  if (error !== null) console.log(error);
}
