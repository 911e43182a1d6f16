/** The program in its container: a memory limit that the kernel keeps by killing, and what an agent sees of a second of it. */
import { EMERGENCY_COST_SECONDS, type SignalWindow, stallStats } from '../../../src/model/index.ts';
import { EPOCH_MS, syntheticWindow } from '../../../src/model/testing.ts';
import type { Random } from '../../support/fuzz/random.ts';
import type { Account } from './account.ts';
import { PROCESSORS, ROOTS_BYTES } from './constants.ts';
import type { Knobs, Load } from './load.ts';
import { GoProgram } from './program.ts';

export interface Settings extends Knobs {
  readonly memoryLimitBytes: number;
}

export interface Second {
  readonly window: SignalWindow;
  readonly peakBytes: number;
  readonly delaySeconds: number;
  readonly gcSeconds: number;
  readonly wasKilled: boolean;
  /** Nobody is served: killed lately. */
  readonly isDown: boolean;
}

const STEP_SECONDS = 0.02;
const STEPS = Math.round(1 / STEP_SECONDS);
/** From here on the kernel looks for pages to take away, which are few: assumed, see docs/decisions/0027-control-quality.md. */
const RECLAIM_FROM = 0.97;
const MOST_RECLAIM = 0.4;

export class Container {
  readonly #random: Random;
  #program: GoProgram;
  readonly #start: Settings;
  #settings: Settings;
  #second = 0;
  #lives = 1;
  #bornAt = 0;

  constructor(settings: Settings, random: Random) {
    this.#start = settings;
    this.#settings = settings;
    this.#random = random;
    this.#program = new GoProgram(settings, random);
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** How long the program has been up. */
  get ageSeconds(): number {
    return this.#second - this.#bornAt;
  }

  /** @param byItself a program that sets GOGC itself has it at once, not from the next cycle on */
  change(settings: Settings, byItself: boolean): void {
    const { gogc, goMemLimitBytes } = this.#settings;
    const isSame = settings.gogc === gogc && settings.goMemLimitBytes === goMemLimitBytes;
    this.#settings = settings;
    if (isSame) return;
    if (byItself) this.#program.set(settings);
    else this.#program.write(settings);
  }

  /** Somebody ends it, and it is made anew as its template says: its robots connect again, as after a kill. */
  startAnew(): void {
    this.#begin(this.#start);
  }

  /** @param afterCycle what a program that tunes itself would set, given the live heap and all that is used */
  second(load: Load, afterCycle?: (usedBytes: number, settings: Settings) => Settings): Second {
    // Robots connect one after the other; after a kill that is time in which they should have been served.
    const served = Math.min(1, (this.ageSeconds + 1) / EMERGENCY_COST_SECONDS);
    const isDown = this.#lives > 1 && served < 1;
    const now = {
      ...load,
      activeRobots: Math.round(load.activeRobots * served),
      reachableBytes: load.reachableBytes * served,
      allocBytesPerSecond: load.allocBytesPerSecond * served,
    };
    let peakBytes = 0;
    let wasKilled = false;
    for (let step = 0; step < STEPS && !wasKilled; step++) {
      const hasEnded = this.#program.step(now, STEP_SECONDS);
      peakBytes = Math.max(peakBytes, this.#program.usedBytes);
      wasKilled = this.#program.usedBytes > this.#settings.memoryLimitBytes;
      if (hasEnded && afterCycle) this.change(afterCycle(this.#program.heapMarkedBytes, this.#settings), true);
    }
    this.#second += 1;
    const account = this.#program.take();
    const window = this.#window(now, account, peakBytes, wasKilled);
    // With what its environment says, under the limit that its pod has by now.
    if (wasKilled) this.#begin({ ...this.#start, memoryLimitBytes: this.#settings.memoryLimitBytes });
    const { delaySeconds, gcSeconds } = account;
    return { window, peakBytes, delaySeconds, gcSeconds, wasKilled, isDown };
  }

  #begin(settings: Settings): void {
    this.#settings = settings;
    this.#program = new GoProgram(this.#settings, this.#random);
    this.#bornAt = this.#second;
    this.#lives += 1;
  }

  #window(load: Load, account: Account, peakBytes: number, wasKilled: boolean): SignalWindow {
    const { pauses, assists, cycles } = account;
    const limit = this.#settings.memoryLimitBytes;
    const reclaim = Math.min(1, Math.max(0, peakBytes / limit - RECLAIM_FROM) / (1 - RECLAIM_FROM));
    const some = Math.max(load.nodePressure, MOST_RECLAIM * reclaim);
    const goal = this.#program.goal();
    return syntheticWindow(this.#second, {
      containerId: `c${this.#lives}`,
      pids: [this.#lives],
      gcPause: stallStats([setOf(pauses)]),
      gcAssist: stallStats([setOf(assists)]),
      gcStall: stallStats([setOf([...pauses, ...assists])]),
      activeRobots: load.activeRobots,
      gc: {
        cycles,
        cpuShare: account.gcSeconds / PROCESSORS,
        assistShare: account.assistSeconds / PROCESSORS,
        heapLiveBytes: this.#program.heapMarkedBytes,
        heapGoalBytes: goal.heapGoalBytes ?? Number.MAX_SAFE_INTEGER,
        rootsBytes: ROOTS_BYTES,
        allocBytesPerSecond: account.allocatedBytes,
        gogc: this.#settings.gogc,
        goMemLimitBytes: this.#settings.goMemLimitBytes,
        gomaxprocs: PROCESSORS,
        limitDrivenCycles: account.limitDrivenCycles,
        limiterOn: account.limiterWasOn,
      },
      cgroup: {
        memoryCurrentBytes: this.#program.usedBytes,
        workingSetBytes: this.#program.usedBytes,
        memoryLimitBytes: limit,
        memoryPressure: { some, full: load.nodePressure > 0 ? load.nodePressure / 2 : some / 4 },
        node: { memory: { some: load.nodePressure, full: load.nodePressure / 2 }, cpu: { some: 0, full: 0 }, io: null },
        oomKills: Number(wasKilled),
      },
    });
  }
}

/** By which the windows' times go. */
export const timeOf = (second: number): number => EPOCH_MS + second * 1000;

function setOf(weights: Account['pauses']) {
  return {
    weights,
    sumNs: weights.reduce((sum, [ns, count]) => sum + ns * count, 0),
    maxNs: weights.reduce((max, [ns]) => Math.max(max, ns), 0),
  };
}
