/** What the agent has in hand: the containers that policies select, how it stands with each, and what was recorded of it. */
import type { ContainerState, RobotGCPolicy } from '../../api/index.ts';
import type { ContainerProcesses } from '../../host/index.ts';
import { keyOf, type Pod, type Store } from '../../kube/index.ts';
import type { Rhythm } from '../../model/index.ts';
import { Recorder } from '../evidence/index.ts';
import type { WayResult } from '../incidents/pprof-ways.ts';
import { remembered } from '../remembered.ts';
import type { Activity, Population, Target, TargetState } from '../sampler/index.ts';
import { containerStates } from './container-states.ts';
import { type Selected, type Watchlist, watchlist } from './watchlist.ts';

export interface RosterOptions {
  readonly node: string;
  readonly policies: Store<RobotGCPolicy>;
  readonly pods: Store<Pod>;
}

interface Entry {
  readonly recorder: Recorder;
  state: TargetState | null;
  activity: Activity | null;
  rhythm: Rhythm | null;
}

export class Roster {
  readonly #options: RosterOptions;
  readonly #entries = new Map<string, Entry>();
  #list: Watchlist = { selected: new Map(), notRunning: [] };
  readonly #populations = remembered(populationsOf);

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** Takes the latest policies and pods into account. @returns ids of containers that are none of ours any more */
  refresh(): string[] {
    const { policies, pods } = this.#options;
    this.#list = watchlist(policies.list(), pods.list());
    const dropped = [...this.#entries.keys()].filter((id) => !this.#list.selected.has(id));
    for (const id of dropped) this.#entries.delete(id);
    return dropped;
  }

  get targets(): Target[] {
    return [...this.#list.selected.values()].map(({ target }) => target);
  }

  selected(containerId: string): Selected | undefined {
    return this.#list.selected.get(containerId);
  }

  /** Containers of one policy. */
  ofPolicy(policyKey: string): Selected[] {
    return [...this.#list.selected.values()].filter(({ policies }) =>
      policies.some((policy) => keyOf(policy.metadata) === policyKey),
    );
  }

  recorder(containerId: string): Recorder {
    return this.#entry(containerId).recorder;
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

  containerStates(policyKey: string, ways: ReadonlyMap<string, WayResult>): ContainerState[] {
    const states = new Map<string, TargetState>();
    const activities = new Map<string, Activity>();
    const rhythms = new Map<string, Rhythm>();
    for (const [id, { state, activity, rhythm }] of this.#entries) {
      if (state) states.set(id, state);
      if (activity) activities.set(id, activity);
      if (rhythm) rhythms.set(id, rhythm);
    }
    const { node } = this.#options;
    return containerStates(policyKey, { node, watchlist: this.#list, states, activities, rhythms, ways });
  }

  #entry(containerId: string): Entry {
    const known = this.#entries.get(containerId);
    if (known) return known;
    const entry: Entry = { recorder: new Recorder(), state: null, activity: null, rhythm: null };
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
