/**
 * A Go program under load and its collector, in steps of some milliseconds: allocations that run towards the trigger, marking by the
 * collector's own workers, by idle processors and by those who allocate, the heap goal by GOGC and GOMEMLIMIT, and memory that goes back to the
 * kernel slowly. Seeded: the same load and settings give the same life.
 */
import { type HeapGoal, heapGoalOf } from '../../../src/host/heap-goal.ts';
import type { WeightedNs } from '../../../src/model/index.ts';
import type { Random } from '../../support/fuzz/random.ts';
import * as c from './constants.ts';
import {
  assistRatio,
  BACKGROUND_UTILIZATION,
  CpuLimiter,
  consMark,
  percentGoalBytes,
  runwayBytes,
  triggerBytes,
} from './pacer.ts';

export interface Load {
  /** Memory that the program can reach. */
  readonly reachableBytes: number;
  readonly allocBytesPerSecond: number;
  /** Of what is allocated, the share that comes in beats, ten times a second, as state machines on a bus cycle do. */
  readonly beatShare: number;
  readonly activeRobots: number;
  /** That the container gets; a busy neighbour leaves less than GOMAXPROCS. */
  readonly processors: number;
  /** Share of the time in which tasks of the container wait for the node's memory, whatever they use. */
  readonly nodePressure: number;
}

export interface Knobs {
  /** −1: off. */
  readonly gogc: number;
  readonly goMemLimitBytes: number | null;
}

/** What happened since it was asked last; CPU seconds are those of cycles that ended. */
export interface Account {
  cycles: number;
  limitDrivenCycles: number;
  gcSeconds: number;
  assistSeconds: number;
  idleSeconds: number;
  allocatedBytes: number;
  limiterWasOn: boolean;
  /** Longest time that an event waited for a processor. */
  delaySeconds: number;
  readonly pauses: WeightedNs[];
  readonly assists: WeightedNs[];
}

interface Marking {
  readonly beganAt: number;
  readonly triggeredBytes: number;
  readonly scanBytes: number;
  scannedBytes: number;
  creditBytes: number;
  gcSeconds: number;
  assistSeconds: number;
  idleSeconds: number;
  readonly secondsPerByte: number;
}

const CREDIT_BATCH_BYTES = 64 * 1024;
const FORCED_AFTER_SECONDS = 120;
/** A full mailbox sheds what is older. */
const MAILBOX_SECONDS = 2;
/** What is allocated while marking is paid for in so many parts of a step: the ratio is revised as the heap nears its goal. */
const REVISIONS = 8;

export class GoProgram {
  readonly #random: Random;
  readonly #limiter = new CpuLimiter(c.PROCESSORS);
  #knobs: Knobs;
  #now = 0;
  #pendingBytes = 0;
  #heapLiveBytes = 0;
  #heapMarkedBytes = 0;
  #mappedBytes = 0;
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
    return this.#mappedBytes + c.RUNTIME_BYTES + c.NON_GO_BYTES;
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
    this.#arrive(load, seconds);
    const cpu = load.processors * seconds;
    const share = BACKGROUND_UTILIZATION * c.PROCESSORS * seconds;
    const before = this.#marking;
    const background = before ? this.#background(Math.min(share, cpu)) : 0;
    const program = this.#run(load, cpu - background);
    if (this.#marking) this.#idle(program.left, seconds);
    this.#limiter.account(program.seconds, background + program.assistSeconds);
    if (this.#limiter.isLimiting) this.#account.limiterWasOn = true;
    const isDue = this.#now - this.#lastCycleAt >= FORCED_AFTER_SECONDS;
    if (!this.#marking && (isDue || this.#heapLiveBytes >= this.#triggerBytes())) this.#begin(load);
    const isOver = this.#marking !== undefined && this.#marking.scannedBytes >= this.#marking.scanBytes;
    if (isOver) this.#end(load);
    this.#scavenge(seconds);
    const rate = c.PROGRAM_SECONDS_PER_BYTE * this.#pendingBytes;
    this.#account.delaySeconds = Math.max(this.#account.delaySeconds, rate / Math.max(0.1, load.processors));
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
      triggeredBytes: this.#marking?.triggeredBytes ?? null,
      heapMarkedBytes: this.#heapMarkedBytes,
      totalAllocBytes: this.#heapLiveBytes,
      totalFreeBytes: 0,
      mappedReadyBytes: this.#mappedBytes + c.RUNTIME_BYTES,
      heapFreeBytes: Math.max(0, this.#mappedBytes - inSpans(this.#heapLiveBytes)),
    });
  }

  /** Part of it evenly, part of it in beats. */
  #arrive({ allocBytesPerSecond, beatShare }: Load, seconds: number): void {
    const beats = Math.floor(this.#now / c.BEAT_SECONDS) - Math.floor((this.#now - seconds) / c.BEAT_SECONDS);
    const evenly = (1 - beatShare) * seconds;
    this.#pendingBytes += allocBytesPerSecond * (evenly + beatShare * c.BEAT_SECONDS * beats);
    this.#pendingBytes = Math.min(this.#pendingBytes, MAILBOX_SECONDS * allocBytesPerSecond);
  }

  /** @returns CPU seconds taken */
  #background(seconds: number): number {
    this.#scan(seconds);
    if (this.#marking) this.#marking.gcSeconds += seconds;
    return seconds;
  }

  #idle(left: number, seconds: number): void {
    const idle = Math.min(left, (1 - BACKGROUND_UTILIZATION) * c.PROCESSORS * seconds);
    if (!this.#marking || idle <= 0) return;
    this.#marking.idleSeconds += this.#scan(idle);
  }

  /** Scans for so long at most, as credit for those who allocate. @returns CPU seconds taken */
  #scan(seconds: number): number {
    const marking = this.#marking;
    if (!marking) return 0;
    const bytes = Math.min(seconds / marking.secondsPerByte, marking.scanBytes - marking.scannedBytes);
    marking.scannedBytes += bytes;
    marking.creditBytes += bytes;
    return bytes * marking.secondsPerByte;
  }

  /** The program works off what has arrived: freely up to the trigger, then with assists. */
  #run(load: Load, cpu: number): { seconds: number; assistSeconds: number; left: number } {
    let left = cpu;
    let assistSeconds = 0;
    if (!this.#marking) {
      const room = Math.max(0, this.#triggerBytes() - this.#heapLiveBytes);
      left -= this.#allocate(Math.min(this.#pendingBytes, room, left / c.PROGRAM_SECONDS_PER_BYTE));
      if (this.#pendingBytes > 0 && this.#heapLiveBytes >= this.#triggerBytes()) this.#begin(load);
    }
    const part = this.#pendingBytes / REVISIONS;
    for (let parts = 0; parts < REVISIONS && this.#marking && left > 1e-9 && this.#pendingBytes > 0; parts++) {
      const taken = this.#allocateMarking(this.#marking, part, left, load);
      left -= taken.seconds + taken.assistSeconds;
      assistSeconds += taken.assistSeconds;
    }
    return { seconds: cpu - left - assistSeconds, assistSeconds, left };
  }

  /** @returns CPU seconds taken */
  #allocate(bytes: number): number {
    this.#heapLiveBytes += bytes;
    this.#pendingBytes = Math.max(0, this.#pendingBytes - bytes);
    this.#account.allocatedBytes += bytes;
    return bytes * c.PROGRAM_SECONDS_PER_BYTE;
  }

  #allocateMarking(marking: Marking, part: number, left: number, { processors }: Load) {
    const scanLeft = marking.scanBytes - marking.scannedBytes;
    const isFree = this.#limiter.isLimiting || scanLeft <= 0;
    const goal = this.goal().heapGoalBytes ?? Number.POSITIVE_INFINITY;
    const ratio = isFree ? 0 : assistRatio(goal, this.#heapLiveBytes, scanLeft);
    const free = ratio > 0 ? marking.creditBytes / ratio : Number.POSITIVE_INFINITY;
    const byCredit = Math.min(part, free, left / c.PROGRAM_SECONDS_PER_BYTE);
    marking.creditBytes -= byCredit * ratio;
    let seconds = this.#allocate(byCredit);
    const costs = c.PROGRAM_SECONDS_PER_BYTE + ratio * marking.secondsPerByte;
    const paid = Math.max(0, Math.min(part - byCredit, (left - seconds) / costs, ratio > 0 ? scanLeft / ratio : 0));
    const scan = paid * ratio;
    const assistSeconds = scan * marking.secondsPerByte;
    if (scan > 0) this.#assisted(scan, Math.min(ratio * c.EVENT_BYTES, scanLeft / processors), left, processors);
    marking.scannedBytes += scan;
    marking.assistSeconds += assistSeconds;
    marking.gcSeconds += assistSeconds;
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
    this.#marking = {
      beganAt: this.#now,
      triggeredBytes: this.#heapLiveBytes,
      scanBytes: Math.min(reachableBytes, this.#heapLiveBytes) + c.ROOTS_BYTES,
      scannedBytes: 0,
      creditBytes: 0,
      gcSeconds: this.#pause(),
      assistSeconds: 0,
      idleSeconds: 0,
      secondsPerByte: c.MARK_SECONDS_PER_BYTE * jitter,
    };
  }

  /** What was allocated meanwhile is marked too. */
  #end({ reachableBytes }: Load): void {
    const marking = this.#marking;
    if (!marking) return;
    const meanwhile = this.#heapLiveBytes - marking.triggeredBytes;
    const wall = Math.max(1e-3, this.#now - marking.beganAt) * c.PROCESSORS;
    const utilization = BACKGROUND_UTILIZATION + marking.assistSeconds / wall;
    const idleUtilization = marking.idleSeconds / wall;
    const amounts = { allocatedBytes: meanwhile, scannedBytes: marking.scanBytes };
    if (meanwhile > 0) this.#consMark = consMark(amounts, { utilization, idleUtilization });
    this.#heapMarkedBytes = Math.min(this.#heapLiveBytes, reachableBytes + meanwhile);
    this.#heapLiveBytes = this.#heapMarkedBytes;
    const account = this.#account;
    account.cycles += 1;
    account.limitDrivenCycles += Number(this.#limitDriven);
    account.gcSeconds += marking.gcSeconds + this.#pause();
    account.assistSeconds += marking.assistSeconds;
    account.idleSeconds += marking.idleSeconds;
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

  #scavenge(seconds: number): void {
    const inUse = inSpans(this.#heapLiveBytes);
    const grown = Math.max(this.#mappedBytes, inUse);
    const limit = this.#knobs.goMemLimitBytes ?? Number.POSITIVE_INFINITY;
    const kept = Math.max(inUse, RETAINED_OF(this.#percentGoalBytes ?? grown));
    const slowly = grown > kept ? Math.max(kept, grown - c.SCAVENGED_BYTES_PER_SECOND * seconds) : grown;
    this.#mappedBytes = Math.max(inUse, Math.min(slowly, limit - c.RUNTIME_BYTES));
  }

  #uniform(): number {
    return this.#random.next() / 2 ** 32;
  }
}

const RETAINED_OF = (goalBytes: number): number => c.RETAINED * goalBytes;
const inSpans = (bytes: number): number => bytes * (1 + c.FRAGMENTATION);

function emptyAccount(): Account {
  return {
    cycles: 0,
    limitDrivenCycles: 0,
    gcSeconds: 0,
    assistSeconds: 0,
    idleSeconds: 0,
    allocatedBytes: 0,
    limiterWasOn: false,
    delaySeconds: 0,
    pauses: [],
    assists: [],
  };
}
