import { type CallOptions, callOptions } from './call-options.ts';
import { isKubeError } from './errors.ts';
import { type Pod, pods } from './kinds/index.ts';
import { objectPath } from './resource.ts';
import type { Transport } from './transport.ts';

/**
 * Asks for a pod to be ended, as a drain of its node does: with its grace period, and only where its PodDisruptionBudget lets it go.
 *
 * @returns false where that very pod was gone already
 * @throws KubeError `DisruptionBudget` where one keeps it
 */
export async function evict(
  transport: Transport,
  { metadata: { namespace, name, uid } }: Pod,
  options: CallOptions = {},
): Promise<boolean> {
  const metadata = { namespace, name };
  try {
    await transport.json({
      method: 'POST',
      path: objectPath(pods, metadata, 'eviction'),
      body: {
        ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata },
        deleteOptions: { preconditions: { uid } },
      },
      ...callOptions(options),
    });
    return true;
  } catch (error) {
    // Another pod has its name: of the precondition, as of a version, the server says Conflict.
    if (isKubeError(error, 'NotFound', 'Conflict')) return false;
    throw error;
  }
}
