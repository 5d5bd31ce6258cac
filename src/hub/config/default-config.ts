import type { LoadedConfig } from './load.ts';
import { parseConfig } from './parse.ts';

/** What the embedded default is made from. */
export interface DefaultConfigInput {
  readonly hostName: string;
  /** Home folder of the hub's user. */
  readonly home: string;
  /** `CLAUDE_CONFIG_DIR` is read from it, as Claude Code does. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The configuration of a hub that has none: this machine's own Claude Code folder as the only replica. */
export function defaultConfig(input: DefaultConfigInput): LoadedConfig {
  return { config: parseConfig(defaultConfigText(input), 'embedded default', input.home), file: null };
}

/** The embedded default as a file, which `machines add` and the like start from when there is no file yet. */
export function defaultConfigText(input: DefaultConfigInput): string {
  const name = machineNameFrom(input.hostName);
  const claudeDir = input.env['CLAUDE_CONFIG_DIR'] || '~/.claude';
  return [
    '// Claude Sync Manager. Every setting is described in the README.',
    '{',
    '  "machines": {',
    `    ${JSON.stringify(name)}: { "transport": "local", "claudeDir": ${JSON.stringify(claudeDir)} }`,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** A host name as a machine name: its first label in lower case, anything that a name cannot hold as `-`; `hub` if nothing is left. */
export function machineNameFrom(hostName: string): string {
  const label = hostName.split('.')[0] ?? '';
  const name = label
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 63);
  return name === '' ? 'hub' : name;
}
