/**
 * A crowd of processes that live for a moment: `crowd.ts PER_MINUTE SECONDS COMMAND…`. Each gets its end by the end of its input.
 * Tells on stdout, a line each, who has come (`+PID`) and who has gone (`-PID`).
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const [perMinute = '', seconds = '', command = '', ...args] = process.argv.slice(2);
const everyMs = 60_000 / Number(perMinute);
const endMs = performance.now() + Number(seconds) * 1000;
let living = 0;

for (let next = performance.now(); next < endMs; next += everyMs) {
  await sleep(Math.max(0, next - performance.now()));
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  const { pid } = child;
  if (pid === undefined) continue;
  living += 1;
  process.stdout.write(`+${pid}\n`);
  child.stdin.on('error', () => {});
  // From less than a tick to a little more than one.
  setTimeout(() => child.stdin.end(), Math.random() * 1_300);
  child.once('exit', () => {
    living -= 1;
    process.stdout.write(`-${pid}\n`);
  });
}
while (living > 0) await sleep(50);
