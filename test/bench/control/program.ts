/**
 * A Go program under load and its collector, in steps of some milliseconds: allocations that run towards the trigger, marking by the
 * collector's own workers, by idle processors and by those who allocate, the heap goal by GOGC and GOMEMLIMIT, and memory that goes back to the
 * kernel slowly. Seeded: the same load and settings give the same life.
 */
import { type HeapGoal, heapGoalOf } from '../../../src/host/heap-goal.ts';
import type { Random } from '../../support/fuzz/random.ts';
import { type Account, emptyAccount } from './account.ts';
import * as c from './constants.ts';
import type { Knobs, Load } from './load.ts';
import { Mailbox } from './mailbox.ts';
import { Marking } from './marking.ts';
import {
  assistRatio,
  BACKGROUND_UTILIZATION,
  CpuLimiter,
  consMark,
  percentGoalBytes,
  runwayBytes,
  triggerBytes,
} from './pacer.ts';
import { inSpans, Resident } from './resident.ts';

const CREDIT_BATCH_BYTES = 64 * 1024;
const FORCED_AFTER_SECONDS = 120;
/** What is allocated while marking is paid for in so many parts of a step: the ratio is revised as the heap nears its goal. */
const REVISIONS = 8;

export class GoProgram {
  readonly #random: Random;
  readonly #limiter = new CpuLimiter(c.PROCESSORS);
  #knobs: Knobs;
  #now = 0;
  readonly #mailbox = new Mailbox();
  readonly #resident = new Resident();
  #heapLiveBytes = 0;
  #heapMarkedBytes = 0;
  #percentGoalBytes: number | null = null;
  #consMark = 0;
  #lastCycleAt = 0;
  #marking: Marking | undefined;
  #limitDriven = false;
  #account = emptyAccount();

  constructor(knobs: Knobs, random: Random) {
    this.#knobs = knobs;
    this.#random = random;
    this.#commit();
  }

  get knobs(): Knobs {
    return this.#knobs;
  }

  get heapMarkedBytes(): number {
    return this.#heapMarkedBytes;
  }

  /** All that the kernel counts to the container and cannot take away. */
  get usedBytes(): number {
    return this.#resident.bytes + c.RUNTIME_BYTES + c.NON_GO_BYTES;
  }

  /** As the program itself does it: at once. */
  set(knobs: Knobs): void {
    this.#knobs = knobs;
    this.#commit();
  }

  /** As somebody does who writes into its memory: GOGC counts from the next cycle on, GOMEMLIMIT at once. */
  write(knobs: Knobs): void {
    this.#knobs = knobs;
  }

  /** @returns whether a cycle ended */
  step(load: Load, seconds: number): boolean {
    this.#now += seconds;
    this.#mailbox.arrive(load, this.#now, seconds);
    const cpu = load.processors * seconds;
    const share = BACKGROUND_UTILIZATION * c.PROCESSORS * seconds;
    const before = this.#marking;
    const background = before ? Math.min(share, cpu) : 0;
    before?.background(background);
    const program = this.#run(load, cpu - background);
    this.#marking?.idle(program.left, seconds);
    this.#limiter.account(program.seconds, background + program.assistSeconds);
    if (this.#limiter.isLimiting) this.#account.limiterWasOn = true;
    const isDue = this.#now - this.#lastCycleAt >= FORCED_AFTER_SECONDS;
    if (!this.#marking && (isDue || this.#heapLiveBytes >= this.#triggerBytes())) this.#begin(load);
    const isOver = this.#marking?.isOver ?? false;
    if (isOver) this.#end(load);
    this.#resident.scavenge(this.#heapLiveBytes, this.#percentGoalBytes, this.#knobs.goMemLimitBytes, seconds);
    this.#account.delaySeconds = Math.max(this.#account.delaySeconds, this.#mailbox.delaySeconds(load));
    return isOver;
  }

  take(): Account {
    const account = this.#account;
    this.#account = emptyAccount();
    return account;
  }

  goal(): HeapGoal {
    return heapGoalOf({
      memoryLimitBytes: this.#knobs.goMemLimitBytes,
      gcPercentHeapGoalBytes: this.#percentGoalBytes,
      sweepDistMinTriggerBytes: 0,
      triggeredBytes: this.#marking?.start.triggeredBytes ?? null,
      heapMarkedBytes: this.#heapMarkedBytes,
      totalAllocBytes: this.#heapLiveBytes,
      totalFreeBytes: 0,
      mappedReadyBytes: this.#resident.bytes + c.RUNTIME_BYTES,
      heapFreeBytes: Math.max(0, this.#resident.bytes - inSpans(this.#heapLiveBytes)),
    });
  }

  /** The program works off what has arrived: freely up to the trigger, then with assists. */
  #run(load: Load, cpu: number): { seconds: number; assistSeconds: number; left: number } {
    let left = cpu;
    let assistSeconds = 0;
    if (!this.#marking) {
      const room = Math.max(0, this.#triggerBytes() - this.#heapLiveBytes);
      left -= this.#allocate(Math.min(this.#mailbox.bytes, room, left / c.PROGRAM_SECONDS_PER_BYTE));
      if (this.#mailbox.bytes > 0 && this.#heapLiveBytes >= this.#triggerBytes()) this.#begin(load);
    }
    const part = this.#mailbox.bytes / REVISIONS;
    for (let parts = 0; parts < REVISIONS && this.#marking && left > 1e-9 && this.#mailbox.bytes > 0; parts++) {
      const taken = this.#allocateMarking(this.#marking, part, left, load);
      left -= taken.seconds + taken.assistSeconds;
      assistSeconds += taken.assistSeconds;
    }
    return { seconds: cpu - left - assistSeconds, assistSeconds, left };
  }

  /** @returns CPU seconds taken */
  #allocate(bytes: number): number {
    this.#heapLiveBytes += bytes;
    this.#mailbox.workedOff(bytes);
    this.#account.allocatedBytes += bytes;
    return bytes * c.PROGRAM_SECONDS_PER_BYTE;
  }

  #allocateMarking(marking: Marking, part: number, left: number, { processors }: Load) {
    const scanLeft = marking.leftBytes;
    const isFree = this.#limiter.isLimiting || scanLeft <= 0;
    const goal = this.goal().heapGoalBytes ?? Number.POSITIVE_INFINITY;
    const ratio = isFree ? 0 : assistRatio(goal, this.#heapLiveBytes, scanLeft);
    const free = ratio > 0 ? marking.creditBytes / ratio : Number.POSITIVE_INFINITY;
    const byCredit = Math.min(part, free, left / c.PROGRAM_SECONDS_PER_BYTE);
    marking.spendCredit(byCredit * ratio);
    let seconds = this.#allocate(byCredit);
    const costs = c.PROGRAM_SECONDS_PER_BYTE + ratio * marking.start.secondsPerByte;
    const paid = Math.max(0, Math.min(part - byCredit, (left - seconds) / costs, ratio > 0 ? scanLeft / ratio : 0));
    const scan = paid * ratio;
    if (scan > 0) this.#assisted(scan, Math.min(ratio * c.EVENT_BYTES, scanLeft / processors), left, processors);
    const assistSeconds = marking.assist(scan);
    seconds += this.#allocate(paid);
    return { seconds, assistSeconds };
  }

  /** @param each bytes that one event has to scan */
  #assisted(scanBytes: number, each: number, left: number, processors: number): void {
    const perStall = Math.max(CREDIT_BATCH_BYTES, each);
    // Where all processors are taken, whoever assists waits for one as well.
    const crowd = left < scanBytes * c.MARK_SECONDS_PER_BYTE * 1.5 ? c.WORKERS / processors : 1;
    const lengthNs = perStall * c.MARK_SECONDS_PER_BYTE * crowd * 1e9;
    this.#account.assists.push([lengthNs, Math.max(1, scanBytes / perStall)]);
  }

  #begin({ reachableBytes }: Load): void {
    const jitter = 0.9 + 0.2 * this.#uniform();
    this.#limitDriven = this.goal().goalByMemoryLimit;
    this.#marking = new Marking({
      beganAt: this.#now,
      triggeredBytes: this.#heapLiveBytes,
      scanBytes: Math.min(reachableBytes, this.#heapLiveBytes) + c.ROOTS_BYTES,
      secondsPerByte: c.MARK_SECONDS_PER_BYTE * jitter,
      pauseSeconds: this.#pause(),
    });
  }

  /** What was allocated meanwhile is marked too. */
  #end({ reachableBytes }: Load): void {
    const marking = this.#marking;
    if (!marking) return;
    const { beganAt, triggeredBytes, scanBytes } = marking.start;
    const { gc, assist, idle } = marking.seconds;
    const meanwhile = this.#heapLiveBytes - triggeredBytes;
    const wall = Math.max(1e-3, this.#now - beganAt) * c.PROCESSORS;
    const utilization = BACKGROUND_UTILIZATION + assist / wall;
    const idleUtilization = idle / wall;
    const amounts = { allocatedBytes: meanwhile, scannedBytes: scanBytes };
    if (meanwhile > 0) this.#consMark = consMark(amounts, { utilization, idleUtilization });
    this.#heapMarkedBytes = Math.min(this.#heapLiveBytes, reachableBytes + meanwhile);
    this.#heapLiveBytes = this.#heapMarkedBytes;
    const account = this.#account;
    account.cycles += 1;
    account.limitDrivenCycles += Number(this.#limitDriven);
    account.gcSeconds += gc + this.#pause();
    account.assistSeconds += assist;
    account.idleSeconds += idle;
    this.#lastCycleAt = this.#now;
    this.#marking = undefined;
    this.#commit();
  }

  #commit(): void {
    this.#percentGoalBytes = percentGoalBytes(this.#heapMarkedBytes, c.ROOTS_BYTES, this.#knobs.gogc);
  }

  #triggerBytes(): number {
    const goal = this.goal().heapGoalBytes ?? Number.POSITIVE_INFINITY;
    return triggerBytes(
      goal,
      this.#heapMarkedBytes,
      runwayBytes(this.#consMark, this.#heapMarkedBytes + c.ROOTS_BYTES),
    );
  }

  /** One stop of the world. @returns what it is charged: all processors stand still */
  #pause(): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.#uniform())) * Math.cos(2 * Math.PI * this.#uniform());
    const seconds = c.PAUSE_MEDIAN_SECONDS * Math.exp(c.PAUSE_SIGMA * normal);
    this.#account.pauses.push([seconds * 1e9, 1]);
    return seconds * c.PROCESSORS;
  }

  #uniform(): number {
    return this.#random.next() / 2 ** 32;
  }
}
