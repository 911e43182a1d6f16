/** What the agent has in hand: the containers that policies select, how it stands with each, and what was recorded of it. */
import type { ContainerState, RobotGCPolicy } from '../../api/index.ts';
import type { ContainerProcesses } from '../../host/index.ts';
import { keyOf, type Pod, type Store } from '../../kube/index.ts';
import type { HeapHistory, Rhythm } from '../../model/index.ts';
import { Recorder } from '../evidence/index.ts';
import { remembered } from '../remembered.ts';
import type { Activity, Population, Target, TargetState } from '../sampler/index.ts';
import { containerStates, type KnownOfContainers } from './container-states.ts';
import { containerId, type Selected, type Watchlist, watchlist } from './watchlist.ts';

export interface RosterOptions {
  readonly node: string;
  readonly policies: Pick<Store<RobotGCPolicy>, 'get' | 'list'>;
  readonly pods: Pick<Store<Pod>, 'get' | 'list'>;
  /** What is known of a container's heap since before this agent. */
  readonly heapHistory: (containerId: string) => HeapHistory;
}

/** So long after its end a container's last window is recorded, judged and sent: the sampler makes it within a second. */
export const lastWindowMs = 5_000;

interface Entry {
  readonly recorder: Recorder;
  state: TargetState | null;
  activity: Activity | null;
  rhythm: Rhythm | null;
}

export class Roster {
  readonly #options: RosterOptions;
  readonly #entries = new Map<string, Entry>();
  /** Containers that ended by themselves a moment ago, such as by an OOM kill. */
  readonly #ended = new Map<string, { readonly selected: Selected; readonly untilMs: number }>();
  #list: Watchlist = { selected: new Map(), notRunning: [] };
  readonly #populations = remembered(populationsOf);

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** Takes the latest policies and pods into account. @returns ids of containers that are none of ours any more */
  refresh(nowMs: number): string[] {
    const { policies, pods } = this.#options;
    const before = this.#list.selected;
    this.#list = watchlist(policies.list(), pods.list());
    for (const [id, selected] of before) this.#ended.set(id, { selected, untilMs: nowMs + lastWindowMs });
    for (const [id, { selected, untilMs }] of this.#ended) {
      if (this.#list.selected.has(id) || untilMs <= nowMs || !this.#endedByItself(id, selected)) this.#ended.delete(id);
    }
    const dropped = [...this.#entries.keys()].filter((id) => this.selected(id) === undefined);
    for (const id of dropped) this.#entries.delete(id);
    return dropped;
  }

  /** Something has to be dropped by a later refresh. */
  get hasEnded(): boolean {
    return this.#ended.size > 0;
  }

  get all(): Iterable<Selected> {
    return this.#list.selected.values();
  }

  get targets(): Target[] {
    return [...this.#list.selected.values()].map(({ target }) => target);
  }

  /** Also one that ended by itself a moment ago. */
  selected(containerId: string): Selected | undefined {
    return this.#list.selected.get(containerId) ?? this.#ended.get(containerId)?.selected;
  }

  /** Containers of one policy, also those that ended by themselves a moment ago. */
  ofPolicy(policyKey: string): Selected[] {
    const ended = [...this.#ended.values()].map(({ selected }) => selected);
    return [...this.#list.selected.values(), ...ended].filter(({ policies }) =>
      policies.some((policy) => keyOf(policy.metadata) === policyKey),
    );
  }

  recorder(containerId: string): Recorder {
    return this.#entry(containerId).recorder;
  }

  heapHistories(): ReadonlyMap<string, HeapHistory> {
    return new Map([...this.#entries].map(([id, { recorder }]) => [id, recorder.heap]));
  }

  setState(containerId: string, state: TargetState): void {
    this.#entry(containerId).state = state;
  }

  setActivity(containerId: string, activity: Activity): void {
    this.#entry(containerId).activity = activity;
  }

  setRhythm(containerId: string, rhythm: Rhythm): void {
    this.#entry(containerId).rhythm = rhythm;
  }

  state(containerId: string): TargetState | null {
    return this.#entries.get(containerId)?.state ?? null;
  }

  countByState(): Record<TargetState['state'], number> {
    const counts = { Watching: 0, Refused: 0, Waiting: this.#list.notRunning.length };
    for (const id of this.#list.selected.keys()) counts[this.state(id)?.state ?? 'Waiting'] += 1;
    return counts;
  }

  /** Processes and cgroups of the selected containers, from a scan of this node. The same map while neither changes. */
  populations(containers: readonly ContainerProcesses[]): ReadonlyMap<string, Population> {
    return this.#populations(containers, this.#list.selected);
  }

  containerStates(
    policyKey: string,
    elsewhere: Pick<KnownOfContainers, 'ways' | 'live' | 'staleGoMemLimits' | 'slowLeaks'>,
  ): ContainerState[] {
    const states = new Map<string, TargetState>();
    const activities = new Map<string, Activity>();
    const rhythms = new Map<string, Rhythm>();
    for (const [id, { state, activity, rhythm }] of this.#entries) {
      if (state) states.set(id, state);
      if (activity) activities.set(id, activity);
      if (rhythm) rhythms.set(id, rhythm);
    }
    const { node } = this.#options;
    return containerStates(policyKey, { node, watchlist: this.#list, states, activities, rhythms, ...elsewhere });
  }

  /** Not because its pod was deleted, whose last seconds are no breach, or nobody is interested any more. */
  #endedByItself(id: string, { pod, policies }: Selected): boolean {
    const now = this.#options.pods.get(keyOf(pod.metadata));
    if (now?.metadata.uid !== pod.metadata.uid || now.metadata.deletionTimestamp !== '') return false;
    const { containerStatuses, initContainerStatuses } = now.status;
    const runs = [...containerStatuses, ...initContainerStatuses].some(
      (status) => containerId(status) === id && status.state.running,
    );
    return !runs && policies.every(({ metadata }) => this.#options.policies.get(keyOf(metadata)) !== undefined);
  }

  #entry(containerId: string): Entry {
    const known = this.#entries.get(containerId);
    if (known) return known;
    const recorder = new Recorder(this.#options.heapHistory(containerId));
    const entry: Entry = { recorder, state: null, activity: null, rhythm: null };
    this.#entries.set(containerId, entry);
    return entry;
  }
}

function populationsOf(
  containers: readonly ContainerProcesses[],
  selected: Watchlist['selected'],
): ReadonlyMap<string, Population> {
  const found = new Map<string, Population>();
  for (const { containerId, pids, cgroups } of containers) {
    // By the container alone: a static pod has another uid in its cgroup's name than its mirror in the API.
    if (selected.has(containerId)) found.set(containerId, { pids, cgroups });
  }
  return found;
}
