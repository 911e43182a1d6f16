/** The agent's own sampler, with the real probe, on containers of this machine. */
import { hostSampler, metricSource, type Target } from '../../src/agent/sampler/index.ts';
import type { PolicySpec } from '../../src/api/index.ts';
import { openProc, scanContainers } from '../../src/host/index.ts';
import { deriveThresholds, type SignalWindow } from '../../src/model/index.ts';
import { until } from '../support/until.ts';
import type { Container } from './ground.ts';

interface Followed {
  readonly target: Target;
  readonly windows: SignalWindow[];
  goVersion: string;
  refused: string | null;
}

export interface Seen {
  readonly goVersion: string;
  readonly windows: readonly SignalWindow[];
}

export class Watch {
  readonly #followed = new Map<string, Followed>();
  readonly #stop = new AbortController();
  readonly #sampler;
  readonly #running: Promise<void>;

  constructor() {
    const proc = openProc();
    const of = (target: Target): Followed | undefined => this.#followed.get(target.key);
    this.#sampler = hostSampler({
      populate: () => new Map(scanContainers(proc).map((found) => [found.containerId, found])),
      sink: {
        window: (target, window) => of(target)?.windows.push(window),
        state: (target, told) => {
          const followed = of(target);
          if (followed && told.state === 'Watching') followed.goVersion = told.goVersion;
          if (followed && told.state === 'Refused') followed.refused = told.message;
        },
      },
      onProbeDown: (error) => console.error(error.message),
    });
    this.#running = this.#sampler.run(this.#stop.signal);
  }

  follow({ id, podUid }: Container, { activity, ...spec }: PolicySpec): { end(): Promise<Seen> } {
    const target: Target = {
      key: id,
      pod: { namespace: 'robots', name: 'robot', uid: podUid },
      container: 'robot',
      containerId: id,
      activity: activity?.podMetric ? metricSource('127.0.0.1', activity.podMetric) : null,
      pressureLimits: deriveThresholds({ activity, ...spec }),
    };
    const followed: Followed = { target, windows: [], goVersion: '', refused: null };
    this.#followed.set(id, followed);
    this.#tellTargets();
    return {
      end: async () => {
        await until('the container is watched', () => followed.windows.length > 0 || followed.refused !== null);
        this.#followed.delete(id);
        this.#tellTargets();
        if (followed.refused !== null) throw new Error(followed.refused);
        return { goVersion: followed.goVersion, windows: followed.windows };
      },
    };
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #tellTargets(): void {
    this.#sampler.setTargets([...this.#followed.values()].map(({ target }) => target));
  }
}
