import { quantityBytes } from '../../api/index.ts';
import type { Pod } from '../../kube/index.ts';
import { limitOf, running } from './pod-resize.ts';

/** The running pod whose container has the highest memory limit; undefined where none has one. Pure. */
export function largest(pods: readonly Pod[], container: string): Pod | undefined {
  const [first] = running(pods)
    .flatMap((pod) => {
      const bytes = quantityBytes(limitOf(pod, container) ?? '');
      return bytes === undefined ? [] : [{ pod, bytes }];
    })
    .toSorted((a, b) => b.bytes - a.bytes);
  return first?.pod;
}
