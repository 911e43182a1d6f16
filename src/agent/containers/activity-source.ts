/** Where a policy says that the robots of a pod's containers are counted. Pure. */
import type { RobotGCPolicy } from '../../api/index.ts';
import type { Pod } from '../../kube/index.ts';
import { type Activity, type ActivitySource, metricSource } from '../sampler/index.ts';

/** Null where the policy names no source. */
export function activityOf({ spec: { activity } }: Pick<RobotGCPolicy, 'spec'>, pod: Pod): ActivitySource | null {
  if (!activity) return null;
  const { podMetric, tcpConnections, annotation = '' } = activity;
  if (podMetric) return pod.status.podIP === '' ? noAddress : metricSource(pod.status.podIP, podMetric);
  if (tcpConnections) return { kind: 'connections', port: tcpConnections.port };
  return { kind: 'given', activity: annotated(annotation, pod.metadata.annotations) };
}

const noAddress: ActivitySource = {
  kind: 'given',
  activity: { kind: 'unknown', reason: 'no-address', message: 'the pod has no address yet' },
};

/** Decimal, as people and programs write a count; `Number` alone would also take `0x10`, `Infinity` and nothing at all. */
const decimal = /^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;

function annotated(key: string, annotations: Readonly<Record<string, string>>): Activity {
  const text = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
  if (text === undefined)
    return { kind: 'unknown', reason: 'annotation-missing', message: `the pod has no annotation ${key}` };
  const robots = decimal.test(text.trim()) ? Number(text) : Number.NaN;
  if (Number.isFinite(robots)) return { kind: 'count', robots };
  const message = `the pod's annotation ${key} is ${JSON.stringify(text)}: write a number from 0, such as "1200"`;
  return { kind: 'unknown', reason: 'not-a-count', message };
}
