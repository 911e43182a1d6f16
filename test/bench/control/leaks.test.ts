/** What the diagnosis calls a leak under the shapes of load, asked each five minutes with all that an agent would know by then. */
import { describe, expect, it } from 'vitest';
import { PolicySpec } from '../../../src/api/index.ts';
import { diagnose } from '../../../src/diagnosis/index.ts';
import { deriveThresholds, HeapHistory, RING_CAPACITY, type SignalWindow } from '../../../src/model/index.ts';
import { randomFrom } from '../../support/fuzz/random.ts';
import { Container } from './container.ts';
import { fixed } from './controllers.ts';
import { policySpec } from './policy.ts';
import { SHAPES, type Shape } from './shapes.ts';

const LOOK_EVERY_SECONDS = 300;

/** Seconds at which a leak is named. @param isCounted the number of robots is known */
function namedAt({ seconds, memoryLimitBytes, load }: Shape, isCounted: boolean): number[] {
  const spec = PolicySpec.parse(policySpec(memoryLimitBytes));
  const thresholds = deriveThresholds(spec);
  const container = new Container(fixed('', 100, true).start(2 * memoryLimitBytes), randomFrom(1));
  const history = new HeapHistory();
  const windows: SignalWindow[] = [];
  const named: number[] = [];
  for (let second = 1; second <= seconds; second++) {
    const { window } = container.second(load(second, container.ageSeconds));
    const seen = isCounted ? window : { ...window, activeRobots: null };
    history.observe(seen);
    windows.push(seen);
    if (second % LOOK_EVERY_SECONDS !== 0) continue;
    const evidence = { windows: windows.slice(-RING_CAPACITY), heapHistory: history.points(), spec, thresholds };
    if (diagnose(evidence).some(({ cause }) => cause === 'Leak')) named.push(second);
  }
  return named;
}

// The day's wave is left to `src/diagnosis/slow-growth.test.ts`: a day takes long here.
const others = SHAPES.filter(({ name }) => name !== 'slow leak' && name !== 'daily wave');

describe('a leak', () => {
  // Robots connect in the first minute and a half.
  it.each(others)(
    'is at no moment named under: $name',
    (shape) => {
      expect(namedAt(shape, true).filter((second) => second > 600)).toEqual([]);
      expect(namedAt(shape, false).filter((second) => second > 600)).toEqual([]);
    },
    60_000,
  );

  it('is named within the first hour where there is one, and from then on, with robots counted or not', () => {
    const [leaking] = SHAPES.filter(({ name }) => name === 'slow leak');
    if (!leaking) throw new Error('no shape leaks');
    for (const isCounted of [true, false]) {
      const late = namedAt({ ...leaking, seconds: 7200 }, isCounted).filter((second) => second > 3600);
      expect(late).toHaveLength(3600 / LOOK_EVERY_SECONDS);
    }
  }, 60_000);
});
