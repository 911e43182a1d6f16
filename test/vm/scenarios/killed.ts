/**
 * `node killed.ts CHURN ROBOTGC POINTS`: what stands in a program's code before it is watched, while it is, and after `robotgc watch` was killed
 * without a chance to tidy up. Prints one JSON object; judges nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { textOf } from '../../robustness/kernel-objects.ts';
import { until } from '../../support/until.ts';
import { startWatch, Talker } from './watched.ts';

const [churn = '', robotgc = '', pointsJson = ''] = process.argv.slice(2);
const points = z.array(z.object({ offset: z.int(), bytes: z.string() })).parse(JSON.parse(pointsJson));
const program = new Talker(churn, {});
await program.ask('start');
const text = () => textOf(program.pid, churn, points);
const numGC = async (): Promise<number> => JSON.parse(await program.ask('report')).numGC;

const before = text();
const watch = await startWatch(robotgc, program.pid);
const watched = text();
watch.kill();
await watch.exited;
const expected = JSON.stringify(before);
for (const endMs = performance.now() + 30_000; JSON.stringify(text()) !== expected && performance.now() < endMs; ) {
  await sleep(50);
}
const after = text();
const cyclesBefore = await numGC();
await until('the program goes on collecting', async () => (await numGC()) >= cyclesBefore + 10, 60_000, 50);
const cyclesAfter = await numGC();
program.child.kill('SIGKILL');
console.log(JSON.stringify({ before, watched, after, cycles: cyclesAfter - cyclesBefore }));
