import { HubNotRunning, connectToHub, type HubClient } from './connect.ts';
import { readHubFile } from '../hub/rpc/hub-file.ts';

/**
 * Connects to the hub of a data folder of this computer. Its `hub.json` says where it listens; the socket is never guessed.
 * @throws {HubError} as `connectToHub`; `not-running` also where no hub ever wrote that file.
 */
export async function findHub(
  dataDir: string,
  who: { readonly client: string; readonly version: string },
): Promise<HubClient> {
  const file = await readHubFile(dataDir);
  if (file === null) throw new HubNotRunning(dataDir);
  return connectToHub(file.socket, who);
}
