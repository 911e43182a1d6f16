/**
 * `node exactness.ts CHURN ROBOTGC CYCLES PROBE`: what `robotgc watch` saw of a program's collections, and what the program's own runtime counted
 * meanwhile. Prints one JSON object; judges nothing.
 */
import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import { until } from '../../support/until.ts';
import { startWatch, Talker, windowsOfNow } from './watched.ts';

const [churn = '', robotgc = '', cycles = '', probe = ''] = process.argv.slice(2);
const program = new Talker(churn, { GOGC: '50' });
const ask = async (request: string) => JSON.parse(await program.ask(request));
const nowNs = () => Number(process.hrtime.bigint());

const watch = await startWatch(robotgc, program.pid);
await ask('stop');
// On emulated processors a cycle may be under way for longer than "stop" waits: a forced one begins when it has ended.
const before = await ask('gc');
const fromNs = nowNs();
const { numGC } = await ask('start');
await until('the cycles', async () => (await ask('report')).numGC >= numGC + Number(cycles), 240_000, 100);
await ask('stop');
for (let i = 0; i < 20; i++) await ask('memstats');
await ask('gc');
const after = await ask('stop');
const untilNs = nowNs();
await windowsOfNow(() => watch.alive().windows(), 30_000);
const exitCode = await watch.end();
program.child.kill('SIGKILL');

const within = (atNs: unknown) => typeof atNs === 'number' && atNs >= fromNs && atNs <= untilNs;
const ready = execFileSync(probe, { input: '{"cmd":"ping","seq":1}\n', encoding: 'utf8' }).split('\n')[0] ?? '';
console.log(
  JSON.stringify({
    kernel: release(),
    probe: JSON.parse(ready),
    before,
    after,
    pauses: watch.lines.filter(({ type, startNs }) => type === 'pause' && within(startNs)),
    cycles: watch.lines.filter(({ type, atNs }) => type === 'cycle' && within(atNs)),
    windows: watch.windows(),
    exitCode,
    stderr: watch.stderr(),
  }),
);
