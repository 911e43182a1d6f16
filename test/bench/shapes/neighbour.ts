/** Somebody else on the node, who takes what is there: see test/robots/neighbour. */
import { join } from 'node:path';
import { type BuiltImage, buildGoImage } from '../../cluster/images.ts';
import { repositoryDir } from '../../cluster/paths.ts';
import { ROBOT_CPU_MILLI } from './candidates.ts';
import type { Ground } from './ground.ts';

export const buildNeighbour = (): Promise<BuiltImage> =>
  buildGoImage({ dir: join(repositoryDir, 'test/robots'), pkg: './neighbour', name: 'neighbour' });

const NAME = 'neighbour';
/** Of its own: robots are counted in theirs. */
const NAMESPACE = 'default';

export class Neighbour implements AsyncDisposable {
  readonly #ground: Ground;
  readonly #robots: number;
  #isThere = false;
  #deeds: Promise<void> = Promise.resolve();

  constructor(ground: Ground, robots: number) {
    this.#ground = ground;
    this.#robots = robots;
  }

  /** Comes or goes, beside the robots' seconds. */
  be(isThere: boolean): void {
    if (isThere === this.#isThere) return;
    this.#isThere = isThere;
    this.#deeds = this.#deeds.then(() => (isThere ? this.#come() : this.#go()));
    // Whoever waits for its end hears of a failure.
    this.#deeds.catch(() => undefined);
  }

  async #come(): Promise<void> {
    const manifest = JSON.stringify(deployment(this.#robots * ROBOT_CPU_MILLI));
    await this.#ground.cluster.kubectl(['apply', '-f', '-'], manifest);
  }

  /** @throws when it never was there */
  async #go(): Promise<void> {
    const { cluster } = this.#ground;
    const which = [`deployment/${NAME}`, `--namespace=${NAMESPACE}`];
    await cluster.kubectl(['wait', ...which, '--for=condition=Available', '--timeout=1s']);
    await cluster.kubectl(['delete', ...which, '--wait=false']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.be(false);
    await this.#deeds;
  }
}

/** As much of the processors as all robots together, by its request; a file four times as large as its memory. */
function deployment(cpuMilli: number): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME, namespace: NAMESPACE },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: NAME } },
      template: {
        metadata: { labels: { app: NAME } },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          volumes: [{ name: 'data', emptyDir: {} }],
          containers: [
            {
              name: NAME,
              image: 'robotgc.dev/neighbour:local',
              imagePullPolicy: 'Never',
              args: ['-busy=2', '-dir=/data', `-file-bytes=${128 * 2 ** 20}`],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
              resources: { requests: { cpu: `${cpuMilli}m`, memory: '32Mi' }, limits: { memory: '32Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                runAsNonRoot: true,
                runAsUser: 65532,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  };
}
