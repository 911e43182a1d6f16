/**
 * A crowd of processes that live for a moment: `crowd.ts PER_MINUTE SECONDS one|each GROUP COMMAND…`. They are in one container, or each in
 * its own, whose cgroups lie below GROUP as the kubelet's do. Each gets its end by the end of its input.
 * Tells on stdout, a line each, who has come (`+PID CONTAINER`) and who has gone (`-PID CONTAINER`).
 */
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePodCgroup, type PodCgroup } from '../../src/agent/testing/pod-cgroup.ts';

const [perMinute = '', seconds = '', containers = '', group = '', ...command] = process.argv.slice(2);
const everyMs = 60_000 / Number(perMinute);
const endMs = performance.now() + Number(seconds) * 1000;
let living = 0;

interface Container {
  readonly id: string;
  readonly cgroup: PodCgroup;
}

function makeContainer(): Container {
  const id = randomBytes(32).toString('hex');
  return { id, cgroup: makePodCgroup(group, randomUUID(), id) };
}

const shared = containers === 'one' ? makeContainer() : null;

for (let next = performance.now(); next < endMs; next += everyMs) {
  await sleep(Math.max(0, next - performance.now()));
  const { id, cgroup } = shared ?? makeContainer();
  const join = cgroup.procsFiles.map((file) => `echo $$ > ${file}`).join(' && ');
  const child = spawn('sh', ['-c', `${join} && exec "$0" "$@"`, ...command], { stdio: ['pipe', 'ignore', 'ignore'] });
  const { pid } = child;
  if (pid === undefined) continue;
  living += 1;
  process.stdout.write(`+${pid} ${id}\n`);
  child.stdin.on('error', () => {});
  // From less than a tick to a little more than one.
  setTimeout(() => child.stdin.end(), Math.random() * 1_300);
  child.once('exit', () => {
    process.stdout.write(`-${pid} ${id}\n`);
    void (shared ? Promise.resolve() : cgroup.remove()).then(() => {
      living -= 1;
    });
  });
}
while (living > 0) await sleep(50);
await shared?.cgroup.remove();
