import { execFileSync } from 'node:child_process';

/**
 * By how much the memory of a process of its own grows at most while it does something. The memory of the process that runs the tests says
 * little: what other tests left goes and comes while one looks.
 * @param modules what the task needs, by the names that it uses for them; loading them does not count.
 * @param task source of an async function's body; it may name `modules` and `input`.
 * @returns growth of the greatest resident size, bytes, and what the task returned.
 */
export function peakMemory<T>(
  modules: Readonly<Record<string, URL>>,
  task: string,
  input: unknown,
): { growth: number; result: T } {
  const imports = Object.entries(modules).map(([name, url]) => `const ${name} = await import(${JSON.stringify(url)});`);
  const script = `${imports.join('\n')}
    const input = ${JSON.stringify(input)};
    const peak = () => process.resourceUsage().maxRSS * 1024;
    const before = peak();
    const result = await (async () => { ${task} })();
    process.stdout.write(JSON.stringify({ growth: peak() - before, result }));`;
  const words = ['--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as { growth: number; result: T };
}
