import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { HubThere } from '../../../src/hub/join/hub-there.ts';
import { TestMachine } from '../ssh/machine.ts';

describe('the key that a hub signs in to joined machines with', () => {
  let machine: TestMachine;
  beforeEach(async () => {
    machine = await TestMachine.start();
  });
  afterEach(() => machine.stop());

  it('is one, however many machines join at once, and stays the same', async () => {
    const there = new HubThere(machine.commands, 'claude-sync', 'hub');
    const dataDir = machine.at('home/data');
    const asked = await Promise.all(Array.from({ length: 6 }, () => there.ownKey(dataDir)));
    assert.match(asked[0]!.publicKey, /^ssh-ed25519 \S+ claude-sync-hub$/);
    for (const one of [...asked, await there.ownKey(dataDir)]) assert.deepEqual(one, asked[0]);
    assert.deepEqual(readdirSync(machine.at('home/data/joined')), ['id_ed25519']);
  });
});
