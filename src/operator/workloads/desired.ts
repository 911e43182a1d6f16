import {
  type ActionRecord,
  ANNOTATION_DESIRED,
  type Desired,
  type DesiredSettings,
  isUnreadable,
  neededBytes,
  parseDesired,
  quantityBytes,
} from '../../api/index.ts';
import { memoryLimitOf, type Pod, type Workload } from '../../kube/index.ts';

/** What Live shall set in the processes of a workload's pods. What cannot be read is as good as nothing: the agents refuse it. */
export function desiredOf({ annotations }: Pick<Workload['metadata'], 'annotations'>): Desired {
  const desired = parseDesired(annotations[ANNOTATION_DESIRED]);
  return isUnreadable(desired) ? {} : desired;
}

/** Whether a pod's container has at least the memory limit that a wish was worked out for. */
export function hasMemoryFor(pod: Pod, container: string, wish: DesiredSettings | undefined): boolean {
  const limitBytes = quantityBytes(memoryLimitOf(pod, container) ?? '');
  return limitBytes === undefined || !wish || limitBytes >= neededBytes(wish);
}

/** For the record of a change by Live: the memory limits that the value before it and the one after it were worked out for. */
export function underBytesOf(
  desired: Desired,
  { container, knob }: Pick<ActionRecord, 'container' | 'knob'>,
  after: number | undefined,
): Pick<ActionRecord, 'underBytes'> {
  const isLive = knob === 'GOGC' || knob === 'GOMEMLIMIT';
  const before = isLive ? desired[container]?.[knob]?.underBytes : undefined;
  return before === undefined && after === undefined ? {} : { underBytes: { before, after } };
}
