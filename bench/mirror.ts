/**
 * The least that anything can do: waits for the kernel to tell of a change, reads what is new, writes it to the targets. No checks,
 * no archive, no database. What the hub takes is told as a ratio to this. Arguments: source, target, target ...
 */
import { appendFileSync, closeSync, fstatSync, openSync, readSync, watch } from 'node:fs';

const [source = '', ...targets] = process.argv.slice(2);
const file = openSync(source, 'r');
let known = fstatSync(file).size;
const watcher = watch(source, () => {
  const { size } = fstatSync(file);
  if (size <= known) return;
  const bytes = Buffer.alloc(size - known);
  readSync(file, bytes, 0, bytes.length, known);
  known = size;
  for (const target of targets) appendFileSync(target, bytes);
});
process.on('SIGTERM', () => {
  watcher.close();
  closeSync(file);
  process.exit(0);
});
process.stdout.write('ready\n');
