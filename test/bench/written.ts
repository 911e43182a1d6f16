/** From a write into a running robot until its next cycle went by it: as the agent writes, without a cluster. */
import { awaitEffect } from '../../src/agent/live/effect.ts';
import { isNoWriter, writerOf } from '../../src/agent/live/writer.ts';
import { openProc } from '../../src/host/index.ts';
import { identityOf } from '../../src/host/testing/go-process.ts';
import { BenchError } from './errors.ts';
import { Robot, withRobotBinary } from './robot.ts';

export interface Written {
  readonly effectMs: number;
  /** That ended meanwhile, by the robot's own count. */
  readonly cycles: number;
}

/** A robot at rest may take longer; this one collects more than once a second. */
const withinMs = 30_000;
const gogcs = [50, 100] as const;

export function writes(runs: number, signal: AbortSignal): Promise<Written[]> {
  return withRobotBinary(async (binary) => {
    await using robot = await Robot.start(binary, { gogc: gogcs[1], args: ['-profile', 'demo'] });
    const found: Written[] = [];
    for (let i = 0; i < runs; i++) found.push(await writtenOnce(robot, gogcs[i % gogcs.length] ?? gogcs[0], signal));
    return found;
  });
}

async function writtenOnce(robot: Robot, gcPercent: number, signal: AbortSignal): Promise<Written> {
  const proc = openProc();
  const opened = writerOf(proc, identityOf(proc, robot.pid));
  if (isNoWriter(opened)) throw new BenchError('NOTHING_TO_MEASURE', opened.message);
  using writer = opened;
  const inEffect = writer.read()?.settings;
  if (!inEffect) throw new BenchError('ROBOT_ENDED', 'the robot has ended');
  const before = await cyclesOf(robot);
  const startMs = performance.now();
  const written = await writer.write({ gcPercent }, inEffect, { signal });
  const effect = await awaitEffect(writer, written, withinMs, signal);
  const effectMs = performance.now() - startMs;
  if (effect !== 'confirmed')
    throw new BenchError('NOTHING_TO_MEASURE', `GOGC=${gcPercent} was written, and then it was ${effect}`);
  return { effectMs, cycles: (await cyclesOf(robot)) - before };
}

async function cyclesOf(robot: Robot): Promise<number> {
  return (await robot.books()).metrics['/gc/cycles/total:gc-cycles'];
}
