import type { EventTarget, Pod } from '../../kube/index.ts';

/** What an Event about one container of a pod regards. */
export function podTarget({ metadata: { namespace, name, uid } }: Pod, container: string): EventTarget {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, fieldPath: `spec.containers{${container}}` };
}
