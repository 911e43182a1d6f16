/** What a policy's status says of the containers of this node. Pure. */
import type { ContainerState, LiveState } from '../../api/index.ts';
import type { SlowLeak } from '../../diagnosis/index.ts';
import { keyOf } from '../../kube/index.ts';
import { type Rhythm, type StaleGoMemLimit, staleSentence } from '../../model/index.ts';
import { type WayResult, wayNames } from '../incidents/pprof-ways.ts';
import type { Activity, TargetState } from '../sampler/index.ts';
import type { Watchlist } from './watchlist.ts';

export interface KnownOfContainers {
  readonly node: string;
  readonly watchlist: Watchlist;
  /** By container id. */
  readonly states: ReadonlyMap<string, TargetState>;
  /** By container id. */
  readonly activities: ReadonlyMap<string, Activity>;
  /** By container id. */
  readonly rhythms: ReadonlyMap<string, Rhythm>;
  /** Which way to pprof works, or why none does, by container id. */
  readonly ways: ReadonlyMap<string, WayResult>;
  /** By container id. */
  readonly staleGoMemLimits: ReadonlyMap<string, StaleGoMemLimit>;
  /** By container id. */
  readonly slowLeaks: ReadonlyMap<string, SlowLeak>;
  /** What became of settings that were asked for, by container id. */
  readonly live: ReadonlyMap<string, LiveState>;
}

/** Neighbours of a Go program that a policy without a container name selects by the way. */
const notGo: ReadonlySet<string> = new Set(['not-go', 'not-elf']);

/** In order of pod and container, so that equal knowledge gives equal status. */
export function containerStates(policyKey: string, known: KnownOfContainers): ContainerState[] {
  const { node, watchlist } = known;
  const list: ContainerState[] = watchlist.notRunning
    .filter((waiting) => waiting.policyKey === policyKey)
    .map(({ pod, container, reason, message }) => ({ pod, container, node, state: 'Waiting', reason, message }));
  for (const [id, { target, pod, policies }] of watchlist.selected) {
    const policy = policies.find((candidate) => keyOf(candidate.metadata) === policyKey);
    if (!policy) continue;
    const state = known.states.get(id) ?? beginning;
    if (policy.spec.container === undefined && isNeighbour(state) && podIsWatched(pod.metadata.uid, known)) continue;
    const about = containerState(node, target.pod.name, target.container, state, known.ways.get(id));
    const watched = state.state === 'Watching';
    const counted = watched && target.activity !== null;
    list.push({
      ...about,
      ...(counted ? activityProblem(known.activities.get(id)) : {}),
      ...(watched ? rhythmOf(known.rhythms.get(id)) : {}),
      ...(watched ? staleOf(known.staleGoMemLimits.get(id)) : {}),
      ...(watched ? leakOf(known.slowLeaks.get(id)) : {}),
      ...liveOf(known.live.get(id)),
    });
  }
  return list.sort((a, b) => compare(a.pod, b.pod) || compare(a.container, b.container));
}

const beginning: TargetState = { state: 'Waiting', reason: 'Starting', message: 'the container was just found' };

function isNeighbour(state: TargetState): boolean {
  return state.state === 'Refused' && notGo.has(state.reason);
}

function podIsWatched(podUid: string, { watchlist, states }: KnownOfContainers): boolean {
  for (const [id, { target }] of watchlist.selected) {
    if (target.pod.uid === podUid && states.get(id)?.state === 'Watching') return true;
  }
  return false;
}

function containerState(
  node: string,
  pod: string,
  container: string,
  state: TargetState,
  way: WayResult | undefined,
): ContainerState {
  const where = { pod, container, node };
  if (state.state !== 'Watching') return { ...where, state: state.state, reason: state.reason, message: state.message };
  const watching = { ...where, state: state.state, goVersion: state.goVersion, ...missingOf(state) };
  if (way?.type === 'found') return { ...watching, pprof: wayNames[way.target.way] };
  // Watched all the same: signals need no pprof, only the bundle is poorer.
  return way ? { ...watching, reason: 'PprofUnreachable', message: way.message } : watching;
}

/** Longest text that the status may hold; what a metrics endpoint answers may be quoted in it. */
const maxMessageLength = 1024;

function missingOf({ missing }: Extract<TargetState, { state: 'Watching' }>): Pick<ContainerState, 'missing'> {
  if (!missing) return {};
  const listed = missing.map(({ signals, reason, message }) => ({
    signals: [...signals],
    reason,
    message: message.slice(0, maxMessageLength),
  }));
  return { missing: listed };
}

function activityProblem(activity: Activity | undefined): Pick<ContainerState, 'activity'> {
  if (activity?.kind !== 'unknown') return {};
  const { reason, message } = activity;
  return { activity: { reason, message: message.slice(0, maxMessageLength) } };
}

function rhythmOf(rhythm: Rhythm | undefined): Pick<ContainerState, 'rhythm'> {
  if (!rhythm) return {};
  const { kind, periodMs, confidence } = rhythm;
  const period = periodMs === undefined ? {} : { periodMs: Number(periodMs.toPrecision(3)) };
  return { rhythm: { kind, ...period, confidence: Number(confidence.toFixed(2)) } };
}

function staleOf(stale: StaleGoMemLimit | undefined): Pick<ContainerState, 'staleGoMemLimit'> {
  if (!stale) return {};
  const reason = stale.type === 'above' ? 'AboveMemoryLimit' : 'BelowMemoryLimit';
  return { staleGoMemLimit: { reason, message: staleSentence(stale) } };
}

function leakOf(leak: SlowLeak | undefined): Pick<ContainerState, 'slowLeak'> {
  return leak ? { slowLeak: { bytesPerHour: leak.bytesPerHour, message: leak.sentence } } : {};
}

function liveOf(live: LiveState | undefined): Pick<ContainerState, 'live'> {
  return live ? { live } : {};
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
