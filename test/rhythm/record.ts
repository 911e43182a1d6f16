/**
 * Records the robot's allocation under loads of known rhythm, for the tests of `src/model/rhythm`:
 *
 *     node test/rhythm/record.ts [FILE]
 *
 * About four seconds a load. Prints what each recording is classified as, the table of confusion and the cost of sampling.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findGcGlobals } from '../../src/gobin/index.ts';
import { openController, openFileReader, openProc, recordAllocations, rhythmPace } from '../../src/host/index.ts';
import { type AllocationSeries, classifyRhythm } from '../../src/model/index.ts';
import { confusionOf, confusionText } from '../../src/model/rhythm/testing/confusion.ts';
import { packRecordings, type Recording } from '../../src/model/rhythm/testing/recordings.ts';
import { Robot, withRobotBinary } from '../bench/robot.ts';
import { type Load, loads } from './loads.ts';

const file =
  process.argv[2] ?? fileURLToPath(new URL('../../src/model/rhythm/testdata/recordings.ndjson.gz', import.meta.url));
const settleMs = 700;

interface Cost {
  readonly cpuMs: number;
  readonly samples: number;
}

const recordings: Recording[] = [];
const costs: Cost[] = [];
await withRobotBinary(async (binary) => {
  for (const load of loads) {
    const { series, goVersion, cpuMs } = await record(binary, load);
    const { kind, name, gogc, periodMs } = load;
    recordings.push({ kind, name, gogc, periodMs, goVersion, pace: rhythmPace, series });
    costs.push({ cpuMs, samples: series.samples.length });
    const { kind: found, periodMs: foundMs, confidence, reason } = classifyRhythm(series);
    const period = foundMs === undefined ? '' : ` ${foundMs.toFixed(1)} ms`;
    console.log(
      `${found === kind ? 'ok ' : 'NOT'} ${kind}: ${name}: ${found}${period} ${confidence.toFixed(2)}: ${reason}`,
    );
  }
});
writeFileSync(file, packRecordings(recordings));
console.log(confusionText(confusionOf(recordings)));
const cpuMs = costs.reduce((sum, cost) => sum + cost.cpuMs, 0);
const samples = costs.reduce((sum, cost) => sum + cost.samples, 0);
console.log(
  `${((cpuMs / samples) * 1e3).toFixed(1)} µs of processor time a sample, ${(cpuMs / costs.length).toFixed(0)} ms a recording`,
);

async function record(
  binary: string,
  load: Load,
): Promise<{ series: AllocationSeries; goVersion: string; cpuMs: number }> {
  await using robot = await Robot.start(binary, { gogc: load.gogc, args: load.args });
  await sleep(settleMs);
  const proc = openProc();
  const identity = proc.identity(robot.pid);
  if (identity === undefined) throw new Error('the robot has ended');
  using executable = openFileReader(`/proc/${robot.pid}/exe`);
  const globals = findGcGlobals(executable);
  if (globals.kind === 'refused') throw new Error(globals.message);
  using reader = openController(proc, identity, globals);
  const before = process.cpuUsage();
  const [recorded] = await recordAllocations([reader], rhythmPace);
  const used = process.cpuUsage(before);
  if (recorded?.kind !== 'series') throw new Error(`the robot has ended: ${recorded?.kind}`);
  return { series: recorded.series, goVersion: globals.goVersion, cpuMs: (used.user + used.system) / 1e3 };
}
