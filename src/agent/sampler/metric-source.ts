import type { PolicySpec } from '../../api/index.ts';
import type { ActivitySource } from './types.ts';

type PodMetric = NonNullable<NonNullable<PolicySpec['activity']>['podMetric']>;

/** @param address of the pod, IPv4 or IPv6 */
export function metricSource(address: string, { port, path, name, labels }: PodMetric): ActivitySource {
  const host = address.includes(':') ? `[${address}]` : address;
  return { kind: 'metric', url: `http://${host}:${port}${path}`, name, ...(labels ? { labels } : {}) };
}
