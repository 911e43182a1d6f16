/** The QoS class that Kubernetes gives a pod, as far as a memory limit can change it (pkg/apis/core/v1/helper/qos, Kubernetes 1.37). Pure. */
import { quantityBytes } from '../../api/index.ts';
import type { Container, Pod } from '../../kube/index.ts';

/** Guaranteed takes request = limit of CPU and memory in every container. Is that so but for the memory of this one? */
export function guaranteedOtherwise({ spec }: Pick<Pod, 'spec'>, container: string): boolean {
  return [...spec.containers, ...spec.initContainers].every(
    (each) => requestsItsLimit(each, 'cpu') && (each.name === container || requestsItsLimit(each, 'memory')),
  );
}

function requestsItsLimit({ resources: { requests, limits } }: Container, resource: 'cpu' | 'memory'): boolean {
  const [request, limit] = [requests[resource], limits[resource]];
  if (request === undefined || limit === undefined) return false;
  // The server writes one amount in one form; other forms of it come from tests and old objects.
  return request === limit || (quantityBytes(request) !== undefined && quantityBytes(request) === quantityBytes(limit));
}
