/** Bundled CommonJS packages call `require` and ask where they lie (ssh2); an ES module has neither of its own. */
const COMMON_JS = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __dirname = import.meta.dirname;',
].join(' ');

/**
 * How the command line and the hub are bundled, for users and for the tests that run the real program. In pieces (`splitting`), so that
 * what the entry loads only after it has checked the version of Node is not loaded with it. better-sqlite3 stays a package: it finds its
 * native file next to itself.
 */
export const NODE_BUNDLE = {
  bundle: true,
  logLevel: 'warning',
  // jsonc-parser's `main` loads its parts in a way that no bundler can follow; its `module` does not.
  mainFields: ['module', 'main'],
  platform: 'node',
  target: 'node22',
  format: 'esm',
  splitting: true,
  // Beside the entries, so that `import.meta.url` means dist/ in all of them.
  chunkNames: 'chunk-[hash]',
  external: ['better-sqlite3', 'cpu-features', '*.node'],
  banner: { js: COMMON_JS },
};

/** Entries below src/: the program, and the threads and workers of the hub. */
export const NODE_ENTRIES = {
  'claude-sync': 'src/cli/main.ts',
  'writer-thread': 'src/hub/store/writer-thread.ts',
  'index-worker': 'src/hub/conversations/index-worker.ts',
  'copy-thread': 'src/hub/replica/many/copy-thread.ts',
};
