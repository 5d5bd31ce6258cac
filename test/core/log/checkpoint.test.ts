import assert from 'node:assert/strict';
import { checkpointLine, checkpointToAppend, lastCheckpoint } from '../../../src/core/log/checkpoint.ts';
import { cut, factsOf, log, sampleTranscripts } from './log-fixtures.ts';

const turn = (type: 'user' | 'assistant', uuid: string, isSidechain = false): object => ({ type, uuid, isSidechain });
const checkpoint = (leafUuid: string): object => ({
  type: 'last-prompt',
  lastPrompt: 'hello',
  leafUuid,
  sessionId: 's',
});
const mode = { type: 'mode', mode: 'normal', sessionId: 's' };

describe('the last checkpoint of a side', () => {
  it('is the last in file order that names a record of the side', async () => {
    const content = log(
      turn('user', 'a'),
      checkpoint('a'),
      turn('assistant', 'b'),
      checkpoint('b'),
      checkpoint('elsewhere'),
      mode,
    );
    const found = lastCheckpoint(await factsOf(content));
    assert.equal(found && cut(content, [found]), log(checkpoint('b')));
  });

  it('may name an attachment or a system record', async () => {
    const content = log(turn('assistant', 'a'), { type: 'attachment', uuid: 'b' }, checkpoint('b'));
    assert.equal(lastCheckpoint(await factsOf(content))?.leafUuid, 'b');
  });

  it('never names a sidechain, nor is it a damaged line or a record of another type', async () => {
    const content = log(
      turn('user', 'a', true),
      checkpoint('a'),
      turn('user', 'b'),
      '{"type":"last-prompt","leafUuid":"b"',
      {
        type: 'summary',
        leafUuid: 'b',
      },
    );
    assert.equal(lastCheckpoint(await factsOf(content)), null);
  });
});

describe('a checkpoint that is made', () => {
  it('names the last turn of the main conversation, with the fields of the CLI in its order', async () => {
    const content = log(
      turn('user', 'a'),
      turn('assistant', 'b'),
      { type: 'attachment', uuid: 'c' },
      turn('assistant', 'd', true),
      mode,
    );
    const line = checkpointLine(await factsOf(content), 'session');
    assert.equal(line?.toString(), '{"type":"last-prompt","leafUuid":"b","sessionId":"session"}\n');
  });

  it('is valid on that side', async () => {
    const content = log(turn('user', 'a"\u2028\ud800'));
    const line = checkpointLine(await factsOf(content), 's');
    const facts = await factsOf(content + String(line));
    assert.equal(facts.length, 2);
    assert.equal(lastCheckpoint(facts)?.start, facts[1]?.start);
  });

  it('is none where there is no turn', async () => {
    assert.equal(
      checkpointLine(await factsOf(log(mode, turn('user', 'a', true), { type: 'system', uuid: 'b' })), 's'),
      null,
    );
  });
});

describe('the side with the newest activity gets the last word', () => {
  it('by its own last checkpoint again', async () => {
    const content = log(turn('user', 'a'), turn('assistant', 'b'), checkpoint('b'), mode);
    const wanted = checkpointToAppend(await factsOf(content), 's');
    assert.ok(wanted !== null && 'repeat' in wanted);
    assert.equal(cut(content, [wanted.repeat]), log(checkpoint('b')));
  });

  it('by a new one when it has none of its own', async () => {
    const wanted = checkpointToAppend(await factsOf(log(turn('user', 'a'), checkpoint('elsewhere'))), 's');
    assert.ok(wanted !== null && 'line' in wanted);
    assert.match(wanted.line.toString(), /"leafUuid":"a"/);
  });

  it('by a new one when turns follow its last checkpoint, so that they are not hidden', async () => {
    const wanted = checkpointToAppend(await factsOf(log(turn('user', 'a'), checkpoint('a'), turn('user', 'b'))), 's');
    assert.ok(wanted !== null && 'line' in wanted);
    assert.match(wanted.line.toString(), /"leafUuid":"b"/);
  });

  it('but not without a conversation', async () => {
    assert.equal(checkpointToAppend(await factsOf(log(mode, checkpoint('a'))), 's'), null);
    assert.equal(checkpointToAppend([], 's'), null);
  });

  it('with bytes that the real CLI wrote, on every sample', async function () {
    const transcripts = sampleTranscripts('rog');
    if (transcripts === null) return this.skip();
    for (const [session, bytes] of transcripts) {
      const wanted = checkpointToAppend(await factsOf(bytes), session);
      assert.ok(wanted !== null && 'repeat' in wanted, session);
      assert.match(bytes.toString('utf8', wanted.repeat.start, wanted.repeat.end), /^\{"type":"last-prompt",.*\}\n$/);
    }
  });
});
