/** From a plan for a Go program to the order that the probe takes. Pure. */
import type { AttachPlan, OptionalPoints } from '../../gobin/index.ts';
import type { AttachRequest, GcControllerLayout } from './protocol.ts';

/**
 * Every point but those of goroutines that wait for the network, which a busy server passes too often. Of the two ways to see assists the
 * one that only slow ones pass, where the program's code allows it.
 */
function pointsOf(plan: AttachPlan): AttachRequest['points'] {
  const groups = plan.optional.filter((group) => group.kind === 'ok' && group.group !== 'pollPark');
  const slow = groups.some(({ group }) => group === 'assistSlow');
  const always = slow ? plan.points.filter(({ point }) => !point.startsWith('assist')) : plan.points;
  return [...always.map(wirePoint), ...groups.flatMap(groupPoints)];
}

/** The points of one group; none where the program lacks it. */
export function groupPoints(group: OptionalPoints): AttachRequest['points'] {
  return group.kind === 'ok' ? group.points.map(wirePoint) : [];
}

function wirePoint({ point, offset, bytes }: AttachRequest['points'][number]): AttachRequest['points'][number] {
  return { point, offset, bytes };
}

/** The order to attach where a plan says, as the agent does it. @param file absolute path, typically `/proc/PID/exe` */
export function attachRequest(id: string, file: string, plan: AttachPlan): AttachRequest {
  return {
    id,
    file,
    points: pointsOf(plan),
    layout: layoutOffsets(plan),
    stoppingKnown: plan.stoppingKnown,
    goidOffset: plan.goidOffset,
  };
}

function layoutOffsets({ layout: { fields } }: AttachPlan): GcControllerLayout {
  return {
    gcPercent: fields.gcPercent.offset,
    memoryLimit: fields.memoryLimit.offset,
    heapMinimum: fields.heapMinimum.offset,
    gcPercentHeapGoal: fields.gcPercentHeapGoal.offset,
    sweepDistMinTrigger: fields.sweepDistMinTrigger.offset,
    triggered: fields.triggered.offset,
    lastHeapGoal: fields.lastHeapGoal.offset,
    heapLive: fields.heapLive.offset,
    lastStackScan: fields.lastStackScan.offset,
    globalsScan: fields.globalsScan.offset,
    heapMarked: fields.heapMarked.offset,
    assistTime: fields.assistTime.offset,
    dedicatedMarkTime: fields.dedicatedMarkTime.offset,
    fractionalMarkTime: fields.fractionalMarkTime.offset,
    idleMarkTime: fields.idleMarkTime.offset,
    markStartTime: fields.markStartTime.offset,
    heapInUse: fields.heapInUse.offset,
    heapReleased: fields.heapReleased.offset,
    heapFree: fields.heapFree.offset,
    totalAlloc: fields.totalAlloc.offset,
    totalFree: fields.totalFree.offset,
    mappedReady: fields.mappedReady.offset,
  };
}
