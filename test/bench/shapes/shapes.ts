/** Bench `shapes`: real robots on a local cluster under shapes of load, the product beside simple controllers and fixed settings in the same seconds. */
import { createTransport } from '../../../src/kube/index.ts';
import { downCluster, upCluster } from '../../cluster/cluster.ts';
import { importImages, installProduct, waitForProduct } from '../../demo/deploy.ts';
import { BenchError } from '../errors.ts';
import { CONTENDERS } from './candidates.ts';
import { compared, type RobotShapeResult } from './compared.ts';
import type { Ground } from './ground.ts';
import type { RobotShape } from './loads.ts';
import { buildNeighbour } from './neighbour.ts';
import { runShape } from './run.ts';

export interface ShapesOptions {
  readonly shapes: readonly RobotShape[];
  /** Of a shape that takes no longer than others. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly say: (sentence: string) => void;
}

export interface ShapesResult {
  readonly bench: 'shapes';
  readonly shapes: readonly RobotShapeResult[];
  readonly held: boolean;
}

const clusterName = 'bench-shapes';
/** Of the seconds: a machine on which more of them are late says nothing of robots. */
const mostLateTurns = 0.1;

export async function shapes({ shapes, seconds, signal, say }: ShapesOptions): Promise<ShapesResult> {
  try {
    const cluster = await upCluster({ name: clusterName, onProgress: say, signal });
    await importImages(cluster);
    await cluster.importImage(await buildNeighbour());
    await installProduct(cluster, ['agent.live=true']);
    await waitForProduct(cluster);
    const transport = createTransport({ kubeconfigPath: cluster.kubeconfigPath, userAgent: 'bench-shapes' });
    try {
      const results: RobotShapeResult[] = [];
      for (const shape of shapes)
        results.push(await resultOf({ cluster, transport, signal }, shape, seconds * shape.times, say));
      return { bench: 'shapes', shapes: results, held: results.every(isHeld) };
    } finally {
      await transport.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BenchError) throw error;
    throw new BenchError('NOTHING_TO_MEASURE', String(error), error);
  } finally {
    await downCluster(clusterName);
  }
}

async function resultOf(
  ground: Ground,
  shape: RobotShape,
  seconds: number,
  say: (sentence: string) => void,
): Promise<RobotShapeResult> {
  ground.signal.throwIfAborted();
  say(`${shape.name}: ${CONTENDERS.length} robots at the same time, ${seconds} s`);
  const run = await runShape(ground, shape, CONTENDERS, seconds);
  for (const sentence of run.told) say(`  ${sentence}`);
  if (run.lateTurns > mostLateTurns * seconds) {
    const late = `${run.lateTurns} of ${seconds} seconds of ${shape.name} came late`;
    throw new BenchError('NOTHING_TO_MEASURE', `the machine is too busy: ${late}`);
  }
  const result = compared(shape.name, seconds, run);
  say(`  robotgc ${result.product.violatingSeconds} s, best of the simple ones ${best(result)} s`);
  return result;
}

const best = ({ simple }: RobotShapeResult): number => Math.min(...simple.map((each) => each.violatingSeconds));

const isHeld = ({ isNeverWorse, isNearOracle, isSafe }: RobotShapeResult): boolean =>
  isNeverWorse && isNearOracle && isSafe;
