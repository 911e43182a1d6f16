/**
 * What stands against a new memory limit for running containers. One objection, one small function: `(way, limitBytes) → sentence | none`, with
 * the number that decided. Pure: all that a cluster says is in the way, as plain data.
 */
import { withHeadRoom } from '../model/index.ts';
import { mebibytes } from './words.ts';

/** One container of the workload that is to have the new limit. */
export interface ResizableContainer {
  readonly pod: string;
  readonly node: string;
  /** Of the container in its pod's spec; null = none. */
  readonly limitBytes: number | null;
  readonly requestBytes: number | null;
  /** Working set by the newest window; null = not known. */
  readonly useBytes: number | null;
  /** Its resizePolicy says that a new memory limit restarts it. */
  readonly restarts: boolean;
  /** The pod's QoS class is Guaranteed as soon as this container's memory request equals its limit. */
  readonly guaranteedOtherwise: boolean;
  /** The pod has resources of its own (`spec.resources`), within which its containers share. */
  readonly podLevel: boolean;
}

/** Something that containers take from together: a node's allocatable memory, a quota of the namespace. */
export interface Room {
  /** For sentences: `node worker-1`, `ResourceQuota team (limits.memory)`. */
  readonly name: string;
  readonly of: 'requests' | 'limits';
  readonly freeBytes: number;
  /** The node of the containers that take from it; undefined: all do. */
  readonly node?: string | undefined;
}

/** What one container's limit may be at most or at least. */
export interface Cap {
  readonly name: string;
  readonly maxBytes?: number | undefined;
  readonly minBytes?: number | undefined;
  /** Limit ÷ request at most. */
  readonly maxRatio?: number | undefined;
  readonly node?: string | undefined;
}

/** In place, by the pods' `resize` subresource: no new pod, and no restart unless the container's resizePolicy says so. */
export interface ResizeWay {
  readonly kind: 'Resize';
  readonly namespace: string;
  readonly container: string;
  /** Of the container in breach, as its pod's spec has it; null = no limit. */
  readonly limit: string | null;
  readonly containers: readonly ResizableContainer[];
  readonly rooms: readonly Room[];
  readonly caps: readonly Cap[];
  /** The policy allows containers to be restarted for it. */
  readonly mayRestart: boolean;
}

type Against = (way: ResizeWay, limitBytes: number) => string | undefined;

/** The first objection, or none. */
export function whyNotResize(way: ResizeWay, limitBytes: number): string | undefined {
  for (const against of OBJECTIONS) {
    const objection = against(way, limitBytes);
    if (objection !== undefined) return objection;
  }
  return undefined;
}

/** The request of a container under a new limit: it follows where it equalled the limit, and is never above it. */
export function requestUnder(
  { limitBytes, requestBytes }: Pick<ResizableContainer, 'limitBytes' | 'requestBytes'>,
  limit: number,
) {
  if (requestBytes === null) return null;
  return requestBytes === limitBytes ? limit : Math.min(requestBytes, limit);
}

const noLimit: Against = ({ containers }) => {
  const without = containers.find(({ limitBytes }) => limitBytes === null);
  if (containers.length === 0) return 'No running pod of the workload is there to be resized.';
  return without && `The container in pod ${without.pod} has no memory limit that could be changed.`;
};

const podLevel: Against = ({ containers }) => {
  const shared = containers.find((each) => each.podLevel);
  return (
    shared && `Pod ${shared.pod} has memory of its own (spec.resources) that its containers share: change it there.`
  );
};

const restart: Against = ({ containers, mayRestart }) => {
  const restarted = containers.find(({ restarts }) => restarts);
  if (mayRestart || !restarted) return undefined;
  return `The resizePolicy of pod ${restarted.pod} restarts the container for a new memory limit; set actions.resizeRestarts: Allow to accept that.`;
};

const qosClass: Against = ({ containers }, limit) => {
  const changed = containers.find((each) => {
    const equalBefore = each.requestBytes === each.limitBytes;
    return each.guaranteedOtherwise && equalBefore !== (requestUnder(each, limit) === limit);
  });
  return changed && `The QoS class of pod ${changed.pod} would change.`;
};

const belowUse: Against = ({ containers }, limit) => {
  for (const { pod, useBytes, limitBytes } of containers) {
    if (useBytes === null || limit >= (limitBytes ?? 0) || limit >= withHeadRoom(useBytes)) continue;
    return `Pod ${pod} uses ${mebibytes(useBytes)}, with head-room ${mebibytes(withHeadRoom(useBytes))}, more than ${mebibytes(limit)}.`;
  }
  return undefined;
};

const caps: Against = ({ containers, caps: all }, limit) => {
  for (const { name, maxBytes, minBytes, maxRatio, node } of all) {
    const under = containers.filter((each) => node === undefined || each.node === node);
    if (under.length === 0) continue;
    if (maxBytes !== undefined && limit > maxBytes)
      return `${name} allows ${mebibytes(maxBytes)} for a container, ${mebibytes(limit)} would be more.`;
    if (minBytes !== undefined && limit < minBytes)
      return `${name} asks for ${mebibytes(minBytes)} for a container, ${mebibytes(limit)} would be less.`;
    const request = Math.min(...under.map((each) => requestUnder(each, limit) ?? limit));
    if (maxRatio !== undefined && limit > maxRatio * request)
      return `${name} allows a limit of ${maxRatio} × the request of ${mebibytes(request)}, ${mebibytes(limit)} would be more.`;
  }
  return undefined;
};

const rooms: Against = ({ containers, rooms: all }, limit) => {
  for (const { name, of, freeBytes, node } of all) {
    const takers = containers.filter((each) => node === undefined || each.node === node);
    const growth = takers.reduce((sum, each) => sum + growthOf(each, of, limit), 0);
    if (growth <= 0 || growth <= freeBytes) continue;
    return `${name} has ${mebibytes(freeBytes)} free, the ${of} of ${takers.length} pods would take ${mebibytes(growth)} more.`;
  }
  return undefined;
};

function growthOf(container: ResizableContainer, of: Room['of'], limit: number): number {
  if (of === 'limits') return limit - (container.limitBytes ?? 0);
  return (requestUnder(container, limit) ?? 0) - (container.requestBytes ?? 0);
}

const OBJECTIONS: readonly Against[] = [noLimit, podLevel, restart, qosClass, belowUse, caps, rooms];
