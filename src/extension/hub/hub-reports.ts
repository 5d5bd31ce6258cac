import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import { withHub, type Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import type { Documents } from '../documents.ts';
import { places } from './places.ts';

/** What can be read about the hub, each as a document. */
export function hubReports(mirror: HubMirror, documents: Documents): Command[] {
  return [
    { id: COMMANDS.showPlaces, run: () => showPlaces(mirror, documents) },
    { id: COMMANDS.runDoctor, run: () => runDoctor(mirror, documents) },
    { id: COMMANDS.showMetrics, run: () => showMetrics(mirror, documents) },
  ];
}

async function showPlaces(mirror: HubMirror, documents: Documents): Promise<void> {
  const { dataDir, configFile, logFile } = places();
  const where = mirror.state.kind === 'running' ? await mirror.ask((hub) => hub.request('hub/where', {})) : null;
  const { elsewhere } = mirror;
  const lines =
    where === null
      ? ['hub      not running', `data     ${dataDir}`, `config   ${configFile}`, `log      ${logFile}`]
      : [
          ...(elsewhere === null ? [] : [`machine  ${elsewhere}`]),
          `hub      pid ${where.pid}, version ${where.version}`,
          ...(where.service === undefined ? [] : [`service  ${where.service}`]),
          `data     ${where.dataDir}`,
          `config   ${where.config ?? 'none: this computer alone'}`,
          `socket   ${where.socket}`,
          ...(elsewhere === null ? [`log      ${logFile}`] : []),
        ];
  await documents.showReport('where.txt', `${lines.map(plainLine).join('\n')}\n`);
}

async function runDoctor(mirror: HubMirror, documents: Documents): Promise<void> {
  const { findings } = await withHub(mirror, 'Checking the hub and each machine', (hub, signal) =>
    hub.request('doctor/run', {}, { signal }),
  );
  const lines = findings.flatMap(({ severity, machine, message, fix }) => [
    `${severity.padEnd(7)}  ${machine === null ? '' : `${plainLine(machine)}: `}${plainLine(message)}`,
    ...(fix === null ? [] : [`         fix: ${plainLine(fix)}`]),
  ]);
  await documents.showReport('doctor.txt', `${lines.join('\n')}\n`);
}

async function showMetrics(mirror: HubMirror, documents: Documents): Promise<void> {
  const { text } = await withHub(mirror, 'Reading the metrics', (hub, signal) =>
    hub.request('metrics/text', {}, { signal }),
  );
  await documents.showReport('metrics.txt', text);
}
