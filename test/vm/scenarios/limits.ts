/**
 * `node limits.ts HOG ROBOTGC FOLDER`: drives a program in a cgroup of its own through throttling, reclaim, changes of its limit and OOM kills
 * while `robotgc watch` samples it, and reads the kernel's own files beside it. Prints one JSON object; judges nothing.
 *
 * Needs pure cgroup v2. FOLDER lies on a disk, for a file whose pages can be reclaimed.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { KernelFiles, wallMs } from './kernel-files.ts';
import { startWatch, Talker, type Watch, windowsOfNow } from './watched.ts';

const mib = 2 ** 20;
const [hogProgram = '', robotgc = '', folder = ''] = process.argv.slice(2);
const root = '/sys/fs/cgroup';
const group = `${root}/robotgc-limits-${process.pid}`;
const patienceMs = 120_000;

/** When a limit was written, and which. */
const changes: { file: string; bytes: number | null; fromMs: number; untilMs: number }[] = [];
const phases: { name: string; fromMs: number; untilMs: number }[] = [];

function setLimit(file: 'memory.max' | 'memory.high' | 'memory.swap.max', bytes: number | null): void {
  const fromMs = wallMs();
  writeFileSync(join(group, file), bytes === null ? 'max' : String(bytes));
  changes.push({ file, bytes, fromMs, untilMs: wallMs() });
}

function intoGroup({ pid }: Talker, below = ''): void {
  writeFileSync(join(group, below, 'cgroup.procs'), String(pid));
}

writeFileSync(`${root}/cgroup.subtree_control`, '+memory +cpu +io');
mkdirSync(group);
// Whoever reads the figures must get to run beside it.
writeFileSync(join(group, 'cpu.weight'), '10');
const file = join(folder, 'pages');
// Past the page cache: what is cached already would not be charged to whoever reads it.
execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', 'count=160', 'oflag=direct', 'status=none']);
const swap = join(folder, 'swap');
execFileSync('dd', ['if=/dev/zero', `of=${swap}`, 'bs=1M', 'count=64', 'status=none']);
execFileSync('chmod', ['600', swap]);
execFileSync('mkswap', ['-q', swap]);
execFileSync('swapon', [swap]);
// But where it is wanted, what cannot be reclaimed is killed.
setLimit('memory.swap.max', 0);
const policy = join(folder, 'policy.yaml');
writeFileSync(
  policy,
  `apiVersion: robotgc.dev/v1alpha1
kind: RobotGCPolicy
metadata: {name: limits}
spec: {sla: {latencyP99: 60s, gcShareOfLatency: 100%, throughput: 1%}, thresholds: {memoryPressureSome: 10%, memoryPressureFull: 100%}}
`,
);

const hog = new Talker(hogProgram, { GOGC: '30' });
intoGroup(hog);
const kernel = new KernelFiles(group);
const watch = await startWatch(robotgc, hog.pid, ['-f', policy]);
kernel.start();
// Another beside it, for which the kernel sets no trigger of one second: it has to read.
const reader = await startWatch(robotgc, hog.pid, ['-f', policy], ['sys_resource']);
const onsetsOf = ({ lines }: Watch) => lines.filter(({ type }) => type === 'pressureOnset');

async function phase(name: string, work: () => Promise<void>): Promise<void> {
  const fromMs = wallMs();
  await work();
  await windowsMore();
  phases.push({ name, fromMs, untilMs: wallMs() });
}
const windowsMore = () =>
  Promise.all([watch, reader].map((each) => windowsOfNow(() => each.alive().windows(), patienceMs)));
/** A limit other than memory.max is read every fifteenth window, and where it is met. */
async function shown(field: 'memoryHighBytes' | 'swapLimitBytes', bytes: number): Promise<void> {
  const isThere = () => JSON.stringify(watch.alive().windows().at(-1)).includes(`"${field}":${bytes},`);
  await until(`a window shows ${field} of ${bytes}`, isThere, patienceMs, 20);
}
const event = (name: string) => kernel.now().events[name] ?? Number.NaN;

await hog.ask('anon 40');
await windowsMore();
await phase('throttled above memory.high', async () => {
  // Below what is used: every batch of pages then waits, far above a tenth of the time.
  const high = kernel.now().current - 2 * mib;
  setLimit('memory.high', high);
  await hog.ask('anon 44');
  await until('memory.high was exceeded', () => event('high') >= 5, patienceMs);
  await shown('memoryHighBytes', high);
  setLimit('memory.high', null);
});
await phase('reclaims below memory.max', async () => {
  setLimit('memory.max', 80 * mib);
  await hog.ask(`read ${file}`);
  const { stat } = kernel.now();
  await until('memory.max was hit', () => event('max') >= 100, patienceMs);
  await until(
    'pages were reclaimed',
    () => (kernel.now().stat.pgsteal ?? 0) > (stat.pgsteal ?? 0) + 10_000,
    patienceMs,
  );
});
await phase('limit raised in place', async () => setLimit('memory.max', 120 * mib));
await phase('limit lowered in place', async () => setLimit('memory.max', 72 * mib));
await hog.ask('rest');
await phase('at rest', async () => {});
await phase('swaps', async () => {
  setLimit('memory.swap.max', 48 * mib);
  await shown('swapLimitBytes', 48 * mib);
  setLimit('memory.max', 40 * mib);
  await until('something was swapped', () => kernel.now().swap > 4 * mib, patienceMs);
});
setLimit('memory.max', 72 * mib);
setLimit('memory.swap.max', 0);
await phase('another process of the cgroup is killed', async () => {
  const other = new Talker(hogProgram, {});
  // The kernel takes whichever holds most, and the watched one holds a part of the room already.
  writeFileSync(`/proc/${other.pid}/oom_score_adj`, '1000');
  intoGroup(other);
  other.tell('anon 200');
  await other.exited;
});
await phase('at rest again', async () => {});
await phase('a process of a cgroup below is killed', async () => {
  // Only a group without processes of its own may hand its memory down.
  for (const below of ['ours', 'other']) mkdirSync(join(group, below));
  intoGroup(hog, 'ours');
  writeFileSync(join(group, 'cgroup.subtree_control'), '+memory');
  const other = new Talker(hogProgram, {});
  writeFileSync(`/proc/${other.pid}/oom_score_adj`, '1000');
  intoGroup(other, 'other');
  other.tell('anon 200');
  await other.exited;
  writeFileSync(join(group, 'cgroup.subtree_control'), '-memory');
  intoGroup(hog);
  for (const below of ['ours', 'other']) rmdirSync(join(group, below));
});
await phase('at rest at last', async () => {});
const killedFromMs = wallMs();
hog.tell('anon 400');
await hog.exited;
const exitCode = await watch.exited;
await reader.exited;
phases.push({ name: 'the process itself is killed', fromMs: killedFromMs, untilMs: wallMs() });
await kernel.stop();
const final = kernel.now();
rmdirSync(group);
execFileSync('swapoff', [swap]);

console.log(
  JSON.stringify({
    changes,
    phases,
    readings: kernel.readings,
    pressure: kernel.pressure,
    final,
    windows: watch.windows(),
    onsets: onsetsOf(watch),
    onsetsByReading: onsetsOf(reader),
    cycles: watch.lines.filter(({ type }) => type === 'cycle').length,
    exitCode,
    stderr: watch.stderr(),
  }),
);
