/** One shape of load on a cluster: all contenders at the same time, in the same seconds, asked from outside. */
import { PolicySpec } from '../../../src/api/index.ts';
import { deriveThresholds } from '../../../src/model/index.ts';
import { ROBOT_NAMESPACE } from '../../demo/deploy.ts';
import { type Contender, isProduct } from './candidates.ts';
import { deedsOf } from './deeds.ts';
import { drive } from './drive.ts';
import { type Ground, onGround, type Runner } from './ground.ts';
import type { RobotShape } from './loads.ts';
import { Neighbour } from './neighbour.ts';
import { shapePolicy } from './policy.ts';
import { type Judged, judge, type Promised } from './yardstick.ts';

export interface ContenderRun extends Judged {
  readonly contender: Contender;
  readonly oomKills: number;
  readonly actions: number;
}

export interface ShapeRun {
  readonly contenders: readonly ContenderRun[];
  /** What the product did, and when. */
  readonly told: readonly string[];
  /** Seconds whose turn came late. */
  readonly lateTurns: number;
}

/** Before it counts: all robots are there, the product has seen each of its signals, and the heaps are what they will be. */
const SETTLE_SECONDS = 35;

export function runShape(
  ground: Ground,
  shape: RobotShape,
  contenders: readonly Contender[],
  seconds: number,
): Promise<ShapeRun> {
  return onGround(ground, shape, contenders, async (runners, pods) => {
    const { transport, signal } = ground;
    await drive(runners, pods, { seconds: SETTLE_SECONDS, signal, load: () => shape.load(0, seconds) });
    const killsBefore = new Map(runners.map(({ name }) => [name, pods.killsOf(name)]));
    const fromMs = Date.now();
    await using neighbour = new Neighbour(ground, runners.length);
    const { readings, lateTurns } = await drive(runners, pods, {
      seconds,
      signal,
      load: (second) => {
        neighbour.be(shape.hasNeighbour?.(second, seconds) ?? false);
        return shape.load(second, seconds);
      },
    });
    const deedsFor = async ({ contender, name }: Runner) =>
      isProduct(contender) ? [await deedsOf(transport, ROBOT_NAMESPACE, name, fromMs)] : [];
    const [deeds] = (await Promise.all(runners.map(deedsFor))).flat();
    const promised = promisedBy(shape);
    const runs = runners.map(({ contender, name }, index): ContenderRun => {
      const judged = judge(readings[index] ?? [], promised);
      const oomKills = pods.killsOf(name) - (killsBefore.get(name) ?? 0);
      return {
        ...judged,
        contender,
        oomKills,
        actions: isProduct(contender) ? (deeds?.actions ?? 0) : judged.gogcChanges,
      };
    });
    return { contenders: runs, told: deeds?.told ?? [], lateTurns };
  });
}

function promisedBy(shape: RobotShape): Promised {
  return deriveThresholds(PolicySpec.parse(shapePolicy('', '', shape).spec));
}
