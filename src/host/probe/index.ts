/**
 * The room of the eBPF probe: starts `robotgc-probe`, tells it where to attach and which processes to watch,
 * and hands over what it saw. It knows nothing of Kubernetes, policy, or how the points of a Go binary are found.
 * Of other rooms it imports only what a plan to attach looks like.
 */
export { attachRequest, groupPoints } from './attach-request.ts';
export {
  type ProbeClient,
  type ProbeCounters,
  type ProbeExit,
  type ProbeOptions,
  startProbe,
} from './client.ts';
export { type Flush, nothingUntil } from './collector.ts';
export { type ClientErrorCode, ProbeError, type ProbeErrorCode } from './errors.ts';
export { locateProbe } from './locate.ts';
export {
  type AssistEvent,
  type AttachedEvent,
  type AttachPoint,
  type AttachRequest,
  type CountsEvent,
  type CycleEvent,
  type GcControllerLayout,
  gcControllerLayoutSchema,
  type HistogramEvent,
  type MemoryWaitKind,
  maxAttachments,
  maxPointsPerAttachment,
  type NetworkKind,
  type PauseEvent,
  pointKinds,
  type ReadyEvent,
  type SampledEvent,
  type TriggerEvent,
  type TriggerRequest,
  type WaitEvent,
  type WaitKind,
  type WireErrorCode,
} from './protocol.ts';
