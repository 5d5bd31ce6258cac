#!/usr/bin/env node
/**
 * Entry of `claude-sync`. Nothing is imported before the version check: the database module crashes on older Nodes without
 * a word that would help anybody.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(
    `claude-sync needs Node 22.22 or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      'Nothing was changed. Install a newer Node (https://nodejs.org) and run the command again.\n',
  );
  process.exitCode = 1;
} else {
  // For the daemon only; a path that is called like the command costs another start of a few milliseconds, and nothing else.
  if (process.argv.includes('hub')) (await import('./lean-memory.ts')).startLean();
  const { runCli } = await import('./program.ts');
  const { processSurroundings } = await import('./surroundings.ts');
  const exitCode = await runCli(process.argv.slice(2), processSurroundings());
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => void stream.write('', () => resolve()));
  // The command is over, whatever is still open: a hub that failed must not stay behind, alive and of no use.
  process.exit(exitCode);
}

export {};
