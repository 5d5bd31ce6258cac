import { builtinModules } from 'node:module';
import { builtinRules } from 'eslint/use-at-your-own-risk';
import tseslint from 'typescript-eslint';

/**
 * Besides the recommended rules: the layers. Each `layer` says which rooms a room must not look into, so that `core` stays pure,
 * only `extension` knows VS Code, and the webview knows nothing but the protocol. See docs/architecture.md.
 */

/** ESLint's own recommended rules, as the rules themselves say. */
const recommended = Object.fromEntries(
  [...builtinRules].filter(([, rule]) => rule.meta.docs?.recommended).map(([name]) => [name, 'error']),
);

/** Rooms below src/, and how an import from another room names them. */
const room = (name) => ({
  regex: `^(\\.{1,2}/)+(.*/)?${name}/`,
  message: `This room must not look into ${name}/ (docs/architecture.md).`,
});

const noVscode = { name: 'vscode', message: 'Only src/extension knows VS Code.' };

/** Node's modules that are not pure. */
const impure = builtinModules
  .filter((name) => !['crypto', 'buffer'].includes(name.replace(/^node:/, '')))
  .flatMap((name) => (name.startsWith('node:') ? [name] : [name, `node:${name}`]))
  .map((name) => ({ name, message: 'core is pure: no I/O, no clock, no randomness.' }));

const layer = (files, { not = [], paths = [] }) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { paths: [...paths], patterns: not.map(room) }] },
});

const EMPTY_CATCH = {
  selector: 'CatchClause > BlockStatement[body.length=0]',
  message: 'An error is handled or passed on, never swallowed.',
};

const NO_CLOCK = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'core has no clock: the time is a parameter.',
};

export default tseslint.config(
  { ignores: ['.tmp/**', 'dist/', 'out/', 'coverage/', 'node_modules/'] },
  { name: 'recommended', rules: recommended },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // A port's method is async also where one implementation has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'no-restricted-syntax': ['error', EMPTY_CATCH],
      eqeqeq: 'error',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests look into JSON that is meant to be of any shape.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        performance: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
      },
    },
  },
  layer(['src/core/**'], { not: ['hub', 'cli', 'extension', 'protocol', 'webview'], paths: [noVscode, ...impure] }),
  {
    files: ['src/core/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        'process',
        'performance',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'fetch',
        'console',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'core has no clock: the time is a parameter.' },
        { object: 'Math', property: 'random', message: 'core has no randomness: random bytes are a parameter.' },
      ],
      'no-restricted-syntax': ['error', EMPTY_CATCH, NO_CLOCK],
    },
  },
  layer(['src/protocol/**'], { not: ['hub', 'cli', 'extension', 'webview'], paths: [noVscode, ...impure] }),
  layer(['src/hub/**'], { not: ['client', 'cli', 'extension', 'webview'], paths: [noVscode] }),
  layer(['src/client/**'], {
    not: ['cli', 'extension', 'webview', 'engine', 'store', 'archive', 'replica'],
    paths: [noVscode],
  }),
  layer(['src/cli/**'], { not: ['extension', 'webview'], paths: [noVscode] }),
  layer(['src/extension/**'], { not: ['cli', 'webview', 'engine', 'store', 'archive', 'replica'] }),
  layer(['webview/**'], { not: ['hub', 'client', 'cli', 'extension', 'core'], paths: [noVscode, ...impure] }),
);
