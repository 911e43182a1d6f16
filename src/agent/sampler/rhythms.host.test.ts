/** The sampler finds how a real program allocates. A state machine: it shows by what it allocates, also on a busy machine. */
import { describe, expect, test } from 'vitest';
import { Robot, withRobotBinary } from '../../../test/bench/robot.ts';
import { until } from '../../../test/support/until.ts';
import { openProc } from '../../host/index.ts';
import type { Rhythm, SignalWindow } from '../../model/index.ts';
import { whyNoHost } from '../testing/robot.ts';
import { hostSampler } from './index.ts';
import { localPopulation, localTarget } from './local-target.ts';

const missing = whyNoHost();

describe.skipIf(missing !== undefined)(`rhythm of a real program${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test('is told once, and windows go on meanwhile', async () => {
    await withRobotBinary(async (binary) => {
      const args = ['-mode', 'state', '-transitions-per-second', '1000', '-bus-cycle', '100ms'];
      await using robot = await Robot.start(binary, { gogc: 100, args });
      const proc = openProc();
      const startTicks = proc.identity(robot.pid)?.startTicks ?? 0;
      const target = localTarget(robot.pid, 'robot');
      const rhythms: Rhythm[] = [];
      const windows: SignalWindow[] = [];
      const sampler = hostSampler({
        populate: () => new Map([[target.key, localPopulation(proc, robot.pid, startTicks)]]),
        sink: { window: (_, window) => windows.push(window), rhythm: (_, rhythm) => rhythms.push(rhythm) },
      });
      sampler.setTargets([target]);
      const stop = new AbortController();
      const running = sampler.run(stop.signal);
      await until('the rhythm is known', () => rhythms.length > 0, 40_000, 50);
      const inspection = sampler.inspect(target.key);
      stop.abort();
      await running;
      expect(rhythms).toHaveLength(1);
      expect(rhythms[0]).toMatchObject({ kind: 'stateMachine' });
      expect(rhythms[0]?.confidence).toBeGreaterThan(0);
      expect(inspection?.rhythm).toEqual(rhythms[0]);
      expect(windows.length).toBeGreaterThanOrEqual(6);
      expect(windows.map(({ seq }) => seq)).toEqual(windows.map((_, index) => index));
    });
  }, 120_000);
});
