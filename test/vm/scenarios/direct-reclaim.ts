/**
 * `node direct-reclaim.ts HOG ROBOTGC FOLDER`: a program fills the machine's memory with pages of a file faster than the kernel's own thread frees
 * any, so that it has to free some itself, while `robotgc watch` samples it and the kernel counts beside it. Prints one JSON object; judges nothing.
 *
 * FOLDER lies on a disk with room for a file of holes as large as twice the memory.
 */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { keyed } from './kernel-files.ts';
import { startWatch, Talker, windowsOfNow } from './watched.ts';

const [hogProgram = '', robotgc = '', folder = ''] = process.argv.slice(2);
const patienceMs = 120_000;

const file = join(folder, 'holes');
const holes = openSync(file, 'w');
ftruncateSync(holes, 2 * totalmem());
closeSync(holes);

/** The kernel's own record of the same moments, from one buffer for each processor. */
const tracing = `/sys/kernel/tracing/instances/robotgc-${process.pid}`;
mkdirSync(tracing);
writeFileSync(`${tracing}/buffer_size_kb`, '16384');
writeFileSync(`${tracing}/trace_clock`, 'mono');
const record = (on: boolean) => {
  for (const moment of ['begin', 'end']) {
    writeFileSync(`${tracing}/events/vmscan/mm_vmscan_direct_reclaim_${moment}/enable`, on ? '1' : '0');
  }
};
/** Lines such as `hog-417 [001] .....  1234.567891: mm_vmscan_direct_reclaim_begin: order=0 …` */
const line = /-(\d+)\s+\[\d+\]\s+\S+\s+([\d.]+): mm_vmscan_direct_reclaim_(begin|end):/gm;
const recorded = () =>
  [...readFileSync(`${tracing}/trace`, 'utf8').matchAll(line)].map(([, thread, seconds, moment]) => ({
    thread,
    seconds: Number(seconds),
    moment,
  }));
/** Stalls of all threads, whatever zone they wanted memory of. */
const stalls = () =>
  Object.entries(keyed(readFileSync('/proc/vmstat', 'utf8')))
    .filter(([name]) => name.startsWith('allocstall_'))
    .reduce((total, [, count]) => total + count, 0);

/** Takes all other free memory at once, in pages that nobody else can use. */
function leaveFree(mib: number): void {
  const [, freeKib = ''] = /^MemFree:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  writeFileSync('/proc/sys/vm/nr_hugepages', String(Math.max(0, Math.floor((Number(freeKib) / 1024 - mib) / 2))));
}

const kswapd = readdirSync('/proc').find(
  (pid) => /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/comm`, 'utf8') === 'kswapd0\n',
);
if (kswapd === undefined) throw new Error('this kernel has no kswapd0');

const hog = new Talker(hogProgram, {});
await hog.ask('anon 8');
const watch = await startWatch(robotgc, hog.pid);
// The thread that frees memory before anybody has to wait for it gets next to no processor time: a busy machine at its worst.
execFileSync('taskset', ['-pc', '1', kswapd]);
execFileSync('chrt', ['--idle', '-p', '0', kswapd]);
const busy = spawn('taskset', ['-c', '1', 'sh', '-c', 'while :; do :; done'], { stdio: 'ignore' });
leaveFree(400);
record(true);
const before = stalls();
await hog.ask(`read ${file}`);
const ownStalls = () => {
  const threads = readdirSync(`/proc/${hog.pid}/task`);
  return recorded().filter(({ thread = '', moment }) => moment === 'begin' && threads.includes(thread)).length;
};
await until('the program had to free memory itself', () => ownStalls() >= 120, patienceMs, 200);
await hog.ask('rest');
busy.kill('SIGKILL');
const threads = readdirSync(`/proc/${hog.pid}/task`);
await windowsOfNow(() => watch.alive().windows(), patienceMs);
const after = stalls();
record(false);
writeFileSync('/proc/sys/vm/nr_hugepages', '0');
const exitCode = await watch.end();
hog.child.kill('SIGKILL');
const [, kept = '', written = ''] =
  /entries-written: (\d+)\/(\d+)/.exec(readFileSync(`${tracing}/trace`, 'utf8')) ?? [];
if (kept !== written) throw new Error(`the kernel's buffers held ${kept} of ${written} moments`);

console.log(
  JSON.stringify({
    stalls: after - before,
    recorded: recorded(),
    threads,
    windows: watch.windows(),
    exitCode,
    stderr: watch.stderr(),
  }),
);
