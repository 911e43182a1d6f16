import { create, find, replace } from './client.ts';
import { type Clock, deadline, interruptible, pause, systemClock } from './clock.ts';
import { isKubeError } from './errors.ts';
import {
  type Candidate,
  heldBody,
  type Lease,
  leases,
  mayTake,
  type Observed,
  observe,
  releasedBody,
} from './lease.ts';
import type { Log } from './log.ts';
import type { Transport } from './transport.ts';

export interface LeaderElectorOptions {
  readonly transport: Transport;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Must differ between any two processes that ever run at the same time; a pod's name with a random tail does. */
  readonly identity: string;
  /** Default 15 s: how long others wait after the last change they saw. */
  readonly leaseDurationMs?: number;
  /** Default 10 s, less than the lease: how long a leader goes on without a renewal. */
  readonly renewDeadlineMs?: number;
  /** Default 2 s between tries, jittered. */
  readonly retryPeriodMs?: number;
  readonly log: Log;
  readonly onNewLeader?: (identity: string) => void;
  /** The work has not stopped although another may lead by now: the one safe thing left is to end the process. */
  readonly onOverrun?: () => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface ElectorRun {
  readonly signal: AbortSignal;
  /** The work of a leader. Its signal is aborted when leadership ends or the outer signal is; it has lease − renew deadline to stop. */
  readonly lead: (leadingSignal: AbortSignal) => Promise<void>;
}

/** The reason with which the leading signal is aborted when the right to lead was lost. */
export class LeadershipLost extends Error {
  constructor(why: string) {
    super(`leadership lost: ${why}`);
    this.name = 'LeadershipLost';
  }
}

const RELEASE_MS = 5_000;

/** One leader among those that share a Lease; see SPEC.md. */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #candidate: Candidate;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  #observed: Observed | undefined;
  /** Until when, on the own clock, this process may lead. */
  #rightUntilMs = Number.NEGATIVE_INFINITY;
  #leader = '';

  constructor(options: LeaderElectorOptions) {
    const {
      namespace,
      name,
      identity,
      leaseDurationMs = 15_000,
      renewDeadlineMs = 10_000,
      retryPeriodMs = 2_000,
    } = options;
    if (!(retryPeriodMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs)) {
      throw new RangeError(
        `retry period ${retryPeriodMs} ms < renew deadline ${renewDeadlineMs} ms < lease ${leaseDurationMs} ms must hold`,
      );
    }
    this.#options = options;
    this.#candidate = { namespace, name, identity, leaseDurationMs };
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryPeriodMs = retryPeriodMs;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /** True only while the right to lead lasts on this process's own clock, also when a timer is late. */
  get isLeader(): boolean {
    return this.#clock.nowMs() < this.#rightUntilMs;
  }

  /** Last seen holder, empty when there is none. */
  get leader(): string {
    return this.#leader;
  }

  /**
   * Follows and leads by turns until the signal is aborted, or until `lead` returns or throws while leading: both release the lease, and
   * the error is passed on.
   */
  async run({ signal, lead }: ElectorRun): Promise<void> {
    while (!signal.aborted) {
      if (await this.#try(signal)) {
        if ((await this.#lead(signal, lead)) === 'finished') return;
      } else {
        await this.#pause(signal);
      }
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return pause(this.#clock, this.#retryPeriodMs * (1 + 0.2 * this.#random()), signal);
  }

  /** One look at the lease and, where allowed, one write. True when it is ours after that. Never rejects. */
  async #try(signal: AbortSignal): Promise<boolean> {
    const { transport } = this.#options;
    const timeoutMs = this.#renewDeadlineMs / 3;
    const known = this.#ownLease();
    try {
      const found = known ?? (await find(transport, leases, this.#candidate, { signal, timeoutMs }));
      if (found !== undefined && !this.#mayTake(found)) {
        this.#rightUntilMs = Number.NEGATIVE_INFINITY;
        return false;
      }
      const body = heldBody(this.#candidate, found, this.#clock.wallMs());
      const sentMs = this.#clock.nowMs();
      const write = found === undefined ? create : replace;
      const held = await write(transport, leases, body, { signal, timeoutMs });
      // Nobody waits for this any more; if it was written, the next look finds it.
      if (signal.aborted) return false;
      // From the sending: others count from when they saw the change, which cannot be earlier.
      this.#rightUntilMs = sentMs + this.#renewDeadlineMs;
      this.#note(held);
      return this.isLeader;
    } catch (error) {
      const conflict = isKubeError(error, 'Conflict', 'AlreadyExists', 'NotFound');
      if (conflict) this.#observed = undefined;
      // Somebody else was quicker, or an answer of ours was lost: what is known is old, a look tells, and a leader has no time to lose.
      if (conflict && known !== undefined) return await this.#try(signal);
      if (!conflict && !signal.aborted) {
        this.#options.log.warn({ err: error, lease: this.#candidate.name }, 'the lease could not be read or written');
      }
      return false;
    }
  }

  /** The leader's own record needs no reading before it is renewed: its resource version guards the write. */
  #ownLease(): Lease | undefined {
    const known = this.#observed?.lease;
    return this.isLeader && known?.spec.holderIdentity === this.#candidate.identity ? known : undefined;
  }

  #mayTake(lease: Lease): boolean {
    const observed = this.#note(lease);
    return mayTake(this.#candidate, observed, this.#clock.nowMs());
  }

  #note(lease: Lease): Observed {
    this.#observed = observe(this.#observed, lease, this.#clock.nowMs());
    const holder = lease.spec.holderIdentity;
    if (holder !== this.#leader) {
      this.#leader = holder;
      this.#options.log.info(
        { lease: this.#candidate.name, leader: holder },
        holder === '' ? 'nobody leads' : 'a leader was seen',
      );
      if (holder !== '') this.#options.onNewLeader?.(holder);
    }
    return this.#observed;
  }

  async #lead(signal: AbortSignal, lead: ElectorRun['lead']): Promise<'finished' | 'lost'> {
    const leading = new AbortController();
    const worked = new AbortController();
    const onAbort = (): void => leading.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const lost = (why: string): void => leading.abort(new LeadershipLost(why));
    // Renewed until the work has ended, also while it winds down: nobody else may begin before that.
    const renewal = this.#renew(worked.signal, lost);
    try {
      await lead(leading.signal);
    } catch (error) {
      // What a leader that was told to stop throws is no failure of its own.
      if (!leading.signal.aborted) throw error;
    } finally {
      worked.abort();
      await renewal;
      signal.removeEventListener('abort', onAbort);
      if (this.isLeader) await this.#release();
      this.#rightUntilMs = Number.NEGATIVE_INFINITY;
    }
    return leading.signal.reason instanceof LeadershipLost ? 'lost' : 'finished';
  }

  /** Renews until the work has ended; calls `lost` at the latest when the right ends. Never rejects. */
  async #renew(worked: AbortSignal, lost: (why: string) => void): Promise<void> {
    while (this.isLeader && !worked.aborted) await this.#renewOnce(worked);
    if (worked.aborted) return;
    lost(
      this.#leader === this.#candidate.identity
        ? 'it was not renewed in time'
        : `${this.#leader || 'nobody'} holds the lease`,
    );
    await this.#watchOverrun(worked);
  }

  /** Tries until it is renewed, lost to another, or the right has run out: a request that hangs then is cut. */
  async #renewOnce(worked: AbortSignal): Promise<void> {
    const right = deadline(this.#clock, this.#rightUntilMs - this.#clock.nowMs(), worked);
    try {
      do await this.#pause(right.signal);
      while (!right.signal.aborted && !(await this.#tryWithin(right.signal)) && this.isLeader);
    } finally {
      right.cancel();
    }
  }

  /** Stepping down in time must not hang on how promptly a transport heeds an abort. */
  async #tryWithin(signal: AbortSignal): Promise<boolean> {
    try {
      return await interruptible(this.#try(signal), signal);
    } catch {
      return false;
    }
  }

  async #watchOverrun(worked: AbortSignal): Promise<void> {
    await pause(this.#clock, this.#candidate.leaseDurationMs - this.#renewDeadlineMs, worked);
    if (worked.aborted) return;
    this.#options.log.error({ lease: this.#candidate.name }, 'the work goes on although another may lead by now');
    this.#options.onOverrun?.();
  }

  async #release(): Promise<void> {
    const { transport, log } = this.#options;
    const options = { timeoutMs: RELEASE_MS };
    try {
      // Read afresh: a renewal that was cut may have been written all the same.
      const held = await find(transport, leases, this.#candidate, options);
      if (held?.spec.holderIdentity !== this.#candidate.identity) return;
      await replace(transport, leases, releasedBody(this.#candidate, held, this.#clock.wallMs()), options);
      this.#leader = '';
    } catch (error) {
      log.warn({ err: error, lease: this.#candidate.name }, 'the lease could not be released; it will run out');
    }
  }
}
