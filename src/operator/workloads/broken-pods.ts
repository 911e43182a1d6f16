/** New pods that a rollout will wait for in vain: told from their own states, before any deadline. Pure. */
import type { Pod } from '../../kube/index.ts';

/** What the kubelet says of a container that will not run as it is configured. */
const HOPELESS: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);
/** So many restarts of a pod that is not ready are a crash loop, whatever the kubelet calls it. */
const RESTARTS = 3;

export interface BrokenPod {
  readonly pod: Pod;
  readonly sentence: string;
}

/** The first of the pods that is broken, and why. @param pods made from the new template */
export function brokenPod(pods: readonly Pod[]): BrokenPod | undefined {
  for (const pod of pods) {
    const why = isReady(pod) ? undefined : whyBroken(pod);
    if (why !== undefined) return { pod, sentence: `new pod ${pod.metadata.name}: ${why}` };
  }
  return undefined;
}

/** The last time that a new pod was made or became ready, in ms; from the begin of the rollout on, it is its progress. */
export function lastProgressMs(pods: readonly Pod[]): number {
  const times = pods.flatMap(({ metadata, status }) => [
    metadata.creationTimestamp,
    ...status.conditions
      .filter(({ type, status: is }) => type === 'Ready' && is === 'True')
      .map((ready) => ready.lastTransitionTime),
  ]);
  return Math.max(0, ...times.map((time) => Date.parse(time)).filter((ms) => !Number.isNaN(ms)));
}

export function isReady({ status }: Pod): boolean {
  return status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}

function whyBroken({ status }: Pod): string | undefined {
  for (const { name, state, lastState, restartCount } of [
    ...status.initContainerStatuses,
    ...status.containerStatuses,
  ]) {
    const ended = state.terminated ?? lastState.terminated;
    if (ended?.reason === 'OOMKilled') return `container ${name} was killed for lack of memory`;
    const { waiting } = state;
    if (waiting && HOPELESS.has(waiting.reason))
      return `container ${name}: ${waiting.reason}${waiting.message ? `, ${waiting.message}` : ''}`;
    if (restartCount >= RESTARTS) return `container ${name} restarted ${restartCount} times and is not ready`;
  }
  return undefined;
}
