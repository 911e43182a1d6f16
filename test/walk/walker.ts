/** Changes what a user may change, lets the operator settle, changes it back, and tells what is not where it was. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isOpenAction } from '../../src/api/index.ts';
import type { Robot } from './robot.ts';
import type { Sight } from './sight.ts';
import { differences, type Snapshot, snapshotOf } from './snapshot.ts';

/** Nothing moves for so long once it is settled. */
const QUIET_MS = 300;
/** On a machine that is busy with other things; only what does not come back waits so long. */
const SETTLE_LIMIT_MS = 120_000;
const LOOK_MS = 50;

export class Walker {
  readonly #sight: Sight;
  readonly #robot: Robot;
  #home: Snapshot;
  #seen: readonly unknown[] = [];

  private constructor(sight: Sight, robot: Robot) {
    this.#sight = sight;
    this.#robot = robot;
    this.#home = snapshotOf(sight, robot);
  }

  /** From where the robot is once nothing moves any more. */
  static async start(sight: Sight, robot: Robot): Promise<Walker> {
    const walker = new Walker(sight, robot);
    await walker.#settled(sight.policy(robot.namespace)?.metadata.generation ?? 0);
    walker.#home = snapshotOf(sight, robot);
    return walker;
  }

  /** Without a change: what is not as it was, once nothing moves. */
  home(): Promise<string[]> {
    return this.#back(this.#sight.policy(this.#robot.namespace)?.metadata.generation ?? 0);
  }

  /** Each of both resolves with the policy's generation after it. @returns what it leaves behind, in lines */
  async thereAndBack(there: () => Promise<number>, back: () => Promise<number>): Promise<string[]> {
    await this.#settled(await there());
    return this.#back(await back());
  }

  async #back(generation: number): Promise<string[]> {
    const endMs = performance.now() + SETTLE_LIMIT_MS;
    for (;;) {
      await this.#settled(generation);
      const now = snapshotOf(this.#sight, this.#robot);
      const left = differences(this.#home, now);
      if (left.length > 0 && performance.now() < endMs) {
        await sleep(LOOK_MS);
        continue;
      }
      // What came after is not to be blamed for it, and nothing is to be forgotten from here on.
      this.#home = now;
      return left;
    }
  }

  async #settled(generation: number): Promise<void> {
    const endMs = performance.now() + SETTLE_LIMIT_MS;
    for (let quietSinceMs = performance.now(); performance.now() - quietSinceMs < QUIET_MS; await sleep(LOOK_MS)) {
      if (this.#hasMoved() || !this.#isAnswered(generation)) quietSinceMs = performance.now();
      if (performance.now() > endMs) return;
    }
  }

  #isAnswered(generation: number): boolean {
    const policy = this.#sight.policy(this.#robot.namespace);
    const isUnderWay = policy?.status.tuning?.some(({ actions }) => actions?.some(isOpenAction)) ?? false;
    return (policy?.status.observedGeneration ?? 0) >= generation && this.#robot.hasAnswered(generation) && !isUnderWay;
  }

  /** Objects of the watch are other ones with each version. */
  #hasMoved(): boolean {
    const objects = Object.values(this.#sight.objects(this.#robot.namespace));
    const hasMoved = objects.some((object, index) => object !== this.#seen[index]);
    this.#seen = objects;
    return hasMoved;
  }
}
