/**
 * Sends the windows of containers under an open incident, or of a policy that tunes all the time, to the operator, each second, beside the
 * sampling: verification and continuous tuning look at them.
 * A policy that comes under an incident begins with the last two minutes, and so does everything after a change of leader.
 */
import { text } from 'node:stream/consumers';
import { request } from '../../http/index.ts';
import type { Log } from '../../kube/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import { sleep } from '../sleep.ts';
import { Backlog } from './backlog.ts';
import type { OperatorConnection } from './connection.ts';

/** A container's history as the reporter needs it. */
export interface Reported {
  readonly key: string;
  readonly recent: (sinceMs: number) => readonly SignalWindow[];
}

export interface WindowReporterOptions {
  readonly connection: OperatorConnection;
  /** Containers whose windows the operator wants at this moment. */
  readonly reported: () => readonly Reported[];
  readonly log: Log;
  readonly onSent: (windows: number) => void;
}

const historyMs = 120_000;
const periodMs = 1_000;
/** The other replica may lead: the next connection meets it with luck. */
const notLeaderWaitMs = 200;
const timeoutMs = 5_000;
const notLeaderTries = 8;
/** Offered at a time until somebody takes them: writing out a whole batch takes 0.2 s of a core, each second that the operator is away. */
export const fewWindows = 100;

export class WindowReporter {
  readonly name = 'window-reporter';
  readonly #options: WindowReporterOptions;
  readonly #backlog = new Backlog();
  /** Until when each container's windows were taken into the backlog, ms since 1970. */
  readonly #takenUntilMs = new Map<string, number>();
  #leader: string | null = null;
  #failing = false;
  /** Whether the latest windows that were offered were taken. */
  #areTaken = false;

  constructor(options: WindowReporterOptions) {
    this.#options = options;
  }

  get dropped(): number {
    return this.#backlog.dropped;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#take(Date.now());
      await this.#deliver(signal).catch((error: unknown) => this.#failed(error, signal));
      await sleep(periodMs, signal).catch(() => {});
    }
    this.#options.connection.renew();
  }

  #take(nowMs: number): void {
    const reported = this.#options.reported();
    const keys = new Set(reported.map(({ key }) => key));
    for (const key of this.#takenUntilMs.keys()) if (!keys.has(key)) this.#takenUntilMs.delete(key);
    for (const { key, recent } of reported) {
      const windows = recent(this.#takenUntilMs.get(key) ?? nowMs - historyMs);
      const newest = windows.at(-1);
      if (!newest) continue;
      this.#backlog.add(windows);
      this.#takenUntilMs.set(key, Date.parse(newest.endedAt));
    }
  }

  async #deliver(signal: AbortSignal): Promise<void> {
    for (let tries = 0; this.#backlog.size > 0 && tries < notLeaderTries; tries++) {
      const batch = this.#areTaken ? this.#backlog.batch() : this.#backlog.batch(fewWindows);
      this.#areTaken = false;
      const answer = await this.#post(batch, signal);
      if (answer.type === 'not-leader') {
        this.#options.connection.renew();
        await sleep(notLeaderWaitMs, signal);
        continue;
      }
      this.#areTaken = true;
      this.#backlog.sent(batch);
      this.#options.onSent(batch.length);
      if (this.#failing) this.#options.log.info({}, 'the operator takes signal windows again');
      this.#failing = false;
      if (answer.leader !== this.#leader) this.#newLeader(answer.leader);
      tries = 0;
    }
  }

  /** What was told to another leader died with its leadership. */
  #newLeader(leader: string): void {
    const first = this.#leader === null;
    this.#leader = leader;
    if (first) return;
    this.#options.log.info({ leader }, 'the operator has a new leader; it is told the last two minutes');
    this.#backlog.replace([]);
    this.#takenUntilMs.clear();
    this.#take(Date.now());
  }

  async #post(
    batch: readonly SignalWindow[],
    signal: AbortSignal,
  ): Promise<{ type: 'taken'; leader: string } | { type: 'not-leader' }> {
    const { connection } = this.#options;
    const response = await request(connection.address('/v1/windows'), {
      method: 'POST',
      headers: { authorization: `Bearer ${await connection.token()}`, 'content-type': 'application/x-ndjson' },
      body: batch.map((window) => `${JSON.stringify(window)}\n`).join(''),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      ...(await connection.kept()),
    });
    const said = await text(response.body);
    if (response.status === 204) return { type: 'taken', leader: String(response.headers['robotgc-leader'] ?? '') };
    if (response.status === 503) return { type: 'not-leader' };
    // Windows that the operator will never take must not block those after them.
    if (response.status === 400 || response.status === 413) this.#backlog.sent(batch);
    throw new Error(`the operator answered ${response.status} to signal windows: ${said.slice(0, 200)}`);
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#options.connection.renew();
    if (this.#failing) return;
    // Once, not each second: the backlog's size is a metric.
    this.#failing = true;
    this.#options.log.warn(
      { err: error, waiting: this.#backlog.size },
      'signal windows cannot be delivered; they wait',
    );
  }
}
