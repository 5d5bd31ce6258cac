import type { BuildOptions } from 'esbuild';

export const NODE_BUNDLE: BuildOptions;
export const NODE_ENTRIES: Readonly<Record<string, string>>;
