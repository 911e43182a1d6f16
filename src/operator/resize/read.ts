/** Reads what bounds a resize, when it is asked for: nothing is decided on yesterday's room. */
import { find, limitRanges, list, nodes, type Pod, resourceQuotas, type Transport } from '../../kube/index.ts';
import type { Surroundings } from './capacity.ts';

/**
 * @param pods of the workload
 * @throws KubeError, also where the operator may not read them: then nothing is known, and nothing is to be changed
 */
export async function readSurroundings(
  transport: Transport,
  namespace: string,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<Surroundings> {
  const names = [...new Set(pods.map(({ spec }) => spec.nodeName).filter((name) => name !== ''))];
  const [quotas, ranges, ...found] = await Promise.all([
    list(transport, resourceQuotas, { namespace, signal }),
    list(transport, limitRanges, { namespace, signal }),
    ...names.map((name) => find(transport, nodes, { name }, { signal })),
  ]);
  return { nodes: found.filter((node) => node !== undefined), quotas, limitRanges: ranges };
}
