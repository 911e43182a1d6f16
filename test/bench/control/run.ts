/** One shape of load under one controller, and what came of it. Pure: the same seed gives the same outcome. */
import { evaluate, type SignalWindow, type Thresholds } from '../../../src/model/index.ts';
import { randomFrom } from '../../support/fuzz/random.ts';
import { PROCESSORS } from './constants.ts';
import { Container, type Settings, timeOf } from './container.ts';
import type { Candidate } from './controllers.ts';
import type { Shape } from './shapes.ts';

export interface Outcome {
  readonly controller: string;
  /** In which a signal was in breach by the policy's own rule (3 of the last 5), an event waited longer than promised, or nobody was served. */
  readonly violatingSeconds: number;
  /** Of the processors, over the whole run, without idle workers. */
  readonly gcCpuShare: number;
  readonly peakBytes: number;
  /** Changes of a setting. */
  readonly actions: number;
  readonly oomKills: number;
}

export interface Promised {
  readonly thresholds: Thresholds;
  readonly latencySeconds: number;
}

export function run(
  shape: Shape,
  candidate: Candidate,
  { thresholds, latencySeconds }: Promised,
  seed: number,
): Outcome {
  const start = candidate.start(shape.memoryLimitBytes);
  const container = new Container(start, randomFrom(seed));
  const controller = candidate.control(start);
  let latest: readonly SignalWindow[] = [];
  const totals = { violatingSeconds: 0, gcSeconds: 0, peakBytes: 0, actions: 0, oomKills: 0 };
  const counted = (next: Settings): Settings => {
    const { gogc, goMemLimitBytes, memoryLimitBytes } = container.settings;
    const isSame = next.gogc === gogc && next.goMemLimitBytes === goMemLimitBytes;
    if (!isSame || next.memoryLimitBytes !== memoryLimitBytes) totals.actions += 1;
    return next;
  };
  const afterCycle =
    controller.pace === 'cycle'
      ? (usedBytes: number, settings: Settings) => counted(controller.next(usedBytes, settings))
      : undefined;
  for (let second = 0; second < shape.seconds; second++) {
    const seen = container.second(shape.load(second, container.ageSeconds), afterCycle);
    latest = [...latest.slice(1 - thresholds.breach.of), seen.window];
    const isLate = seen.delaySeconds > latencySeconds;
    const isBroken = evaluate(latest, thresholds, new Date(timeOf(second + 1))).type === 'breach';
    if (seen.isDown || seen.wasKilled || isLate || isBroken) totals.violatingSeconds += 1;
    totals.gcSeconds += seen.gcSeconds;
    totals.peakBytes = Math.max(totals.peakBytes, seen.peakBytes);
    totals.oomKills += Number(seen.wasKilled);
    if (controller.pace !== 'second') continue;
    const next = controller.next(seen.window, container.settings);
    if (next === 'start anew') {
      totals.actions += 1;
      container.startAnew();
    } else container.change(counted(next), false);
  }
  const { gcSeconds, ...rest } = totals;
  return { controller: candidate.name, ...rest, gcCpuShare: gcSeconds / PROCESSORS / shape.seconds };
}
