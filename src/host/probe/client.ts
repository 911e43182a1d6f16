import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { EventCollector, type Flush } from './collector.ts';
import { ProbeError } from './errors.ts';
import { LineSplitter } from './lines.ts';
import { locateProbe } from './locate.ts';
import { PendingAnswers } from './pending.ts';
import {
  type AttachedEvent,
  type AttachRequest,
  attachRequestSchema,
  type Command,
  type ErrorEvent,
  maxLineBytes,
  type ProbeEvent,
  parseEventLine,
  probeProtocol,
  type ReadyEvent,
  type TriggerEvent,
  type TriggerRequest,
  triggerRequestSchema,
} from './protocol.ts';

export interface ProbeOptions {
  /** Path of the binary; default: `locateProbe()`. */
  readonly path?: string;
  /** Further arguments and whole environment of the child, for tests and wrappers such as `setpriv`. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Stops the probe when aborted. */
  readonly signal?: AbortSignal;
  /** One line that the probe wrote for people. */
  readonly onLog?: (line: string) => void;
  /** An error that answers no command of ours. */
  readonly onError?: (error: ProbeError) => void;
  /** How long nothing at all may come while an answer is due; default 10 s. */
  readonly commandTimeoutMs?: number;
  readonly startTimeoutMs?: number;
}

/** How the probe ended. `error` says why; it is PROBE_STOPPED when we asked for it. */
export interface ProbeExit {
  readonly exitCode: number | null;
  readonly exitSignal: NodeJS.Signals | null;
  readonly error: ProbeError;
}

export interface ProbeCounters {
  /** Events of a type this version does not know. */
  readonly unknownEvents: number;
  /** Lines that were not events or too long. */
  readonly invalidLines: number;
}

/**
 * A running `robotgc-probe`. Every method rejects with a `ProbeError`: the probe's own refusal, PROBE_EXITED
 * once it has ended, PROBE_TIMEOUT when no answer came, and nothing else for a while. A refusal leaves the probe and everything else attached.
 */
export interface ProbeClient extends AsyncDisposable {
  readonly ready: ReadyEvent;
  readonly processId: number;
  /** Puts the points of one file in place; nothing is reported until a process is watched. */
  attach(request: AttachRequest): Promise<AttachedEvent>;
  /** Takes them out again, and forgets the processes watched through them. */
  detach(id: string): Promise<void>;
  watch(pid: number, id: string): Promise<void>;
  unwatch(pid: number): Promise<void>;
  /** Whether the process runs the file of that attachment, wherever it is mounted; null where the kernel does not tell. */
  runs(pid: number, id: string): Promise<boolean | null>;
  /** Rejects with TRIGGER_REFUSED where the kernel grants no such trigger, with NO_PERMISSION where the file cannot be written; any other code is of this file. */
  setTrigger(request: TriggerRequest): Promise<void>;
  clearTrigger(id: string): Promise<void>;
  /** From now on called with what triggers tell, synchronously; the last listener counts. */
  listenToTriggers(listener: (event: TriggerEvent) => void): void;
  /** Everything since the last flush, complete up to `atNs`. */
  flush(): Promise<Flush>;
  ping(): Promise<void>;
  /** Settles when the probe has ended, for whatever reason; never rejects. */
  readonly exited: Promise<ProbeExit>;
  readonly counters: ProbeCounters;
  /** Closes stdin, which makes the probe detach and exit; kills it when it has not within 2 s. */
  stop(): Promise<ProbeExit>;
}

/** Without a flush, this many events are kept before further ones are counted as lost. */
const maxHeldEvents = 200_000;
const stopGraceMs = 2_000;

/** Starts the probe; resolves when it is ready, rejects with the reason when it cannot work here. */
export async function startProbe(options: ProbeOptions = {}): Promise<ProbeClient> {
  options.signal?.throwIfAborted();
  const probe = new SpawnedProbe(options);
  const timeoutMs = options.startTimeoutMs ?? 10_000;
  const timer = setTimeout(() => {
    const message = `robotgc-probe was not ready within ${timeoutMs} ms: see its log lines, then restart it`;
    probe.fail(new ProbeError('PROBE_TIMEOUT', message));
  }, timeoutMs);
  try {
    await probe.started;
    return probe;
  } finally {
    clearTimeout(timer);
  }
}

class SpawnedProbe implements ProbeClient {
  readonly exited: Promise<ProbeExit>;
  readonly started: Promise<ReadyEvent>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #options: ProbeOptions;
  readonly #ready = Promise.withResolvers<ReadyEvent>();
  readonly #answers = new PendingAnswers<ProbeEvent>();
  readonly #events = new EventCollector(maxHeldEvents);
  /** Taken the moment `flushed` arrives, so that later events fall into the next flush. */
  readonly #flushes = new Map<number, Flush>();
  readonly #lines = new LineSplitter(maxLineBytes);
  readonly #counters = { unknownEvents: 0, invalidLines: 0 };
  #onTrigger: (event: TriggerEvent) => void = () => {};
  #readyEvent: ReadyEvent | undefined;
  /** Why it ended or is to end; the first reason stays. */
  #end: ProbeError | undefined;
  #stopTimer: NodeJS.Timeout | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.started = this.#ready.promise;
    // Its own session: an interactive Ctrl-C must not end the probe before the last flush.
    this.#child = spawn(options.path ?? locateProbe(), options.args ?? [], {
      stdio: 'pipe',
      detached: true,
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    this.exited = this.#superviseExit();
    this.#readStdout();
    this.#readStderr();
    this.#child.stdin.on('error', () => {}); // EPIPE: the exit tells more
    const abort = (): void => this.#beginStop();
    options.signal?.addEventListener('abort', abort, { once: true });
    void this.exited.then(() => options.signal?.removeEventListener('abort', abort));
  }

  get ready(): ReadyEvent {
    if (this.#readyEvent === undefined) throw new ProbeError('PROBE_PROTOCOL', 'not ready yet: await startProbe()');
    return this.#readyEvent;
  }

  get processId(): number {
    return this.#child.pid ?? -1;
  }

  get counters(): ProbeCounters {
    return {
      unknownEvents: this.#counters.unknownEvents,
      invalidLines: this.#counters.invalidLines + this.#lines.tooLong,
    };
  }

  async attach(request: AttachRequest): Promise<AttachedEvent> {
    const checked = attachRequestSchema.safeParse(request);
    if (!checked.success) throw new ProbeError('BAD_COMMAND', `attach ${request.id}: ${checked.error.message}`);
    return this.#ask('attached', (seq) => ({ cmd: 'attach', seq, ...checked.data }));
  }

  async detach(id: string): Promise<void> {
    await this.#ask('detached', (seq) => ({ cmd: 'detach', seq, id }));
  }

  async watch(pid: number, id: string): Promise<void> {
    await this.#ask('watching', (seq) => ({ cmd: 'watch', seq, pid, id }));
  }

  async unwatch(pid: number): Promise<void> {
    await this.#ask('unwatched', (seq) => ({ cmd: 'unwatch', seq, pid }));
  }

  async runs(pid: number, id: string): Promise<boolean | null> {
    const { runs } = await this.#ask('runs', (seq) => ({ cmd: 'runs', seq, pid, id }));
    return runs;
  }

  async setTrigger(request: TriggerRequest): Promise<void> {
    const checked = triggerRequestSchema.safeParse(request);
    if (!checked.success) throw new ProbeError('BAD_COMMAND', `trigger ${request.id}: ${checked.error.message}`);
    await this.#ask('triggerSet', (seq) => ({ cmd: 'trigger', seq, ...checked.data }));
  }

  async clearTrigger(id: string): Promise<void> {
    await this.#ask('triggerCleared', (seq) => ({ cmd: 'untrigger', seq, id }));
  }

  listenToTriggers(listener: (event: TriggerEvent) => void): void {
    this.#onTrigger = listener;
  }

  async ping(): Promise<void> {
    await this.#ask('pong', (seq) => ({ cmd: 'ping', seq }));
  }

  async flush(): Promise<Flush> {
    const flushed = await this.#ask('flushed', (seq) => ({ cmd: 'flush', seq }));
    const flush = this.#flushes.get(flushed.seq);
    this.#flushes.delete(flushed.seq);
    if (flush === undefined) throw new ProbeError('PROBE_PROTOCOL', `flush ${flushed.seq} was answered twice`);
    return flush;
  }

  stop(): Promise<ProbeExit> {
    this.#beginStop();
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Ends the probe because of `error`. */
  fail(error: ProbeError): void {
    this.#end ??= error;
    this.#child.kill('SIGKILL');
  }

  async #ask<T extends ProbeEvent['type']>(
    answerType: T,
    command: (seq: number) => Command,
  ): Promise<Extract<ProbeEvent, { type: T }>> {
    if (this.#end !== undefined) throw this.#end;
    const timeoutMs = this.#options.commandTimeoutMs ?? 10_000;
    const { seq, answer } = this.#answers.open(answerType, timeoutMs);
    this.#child.stdin.write(`${JSON.stringify(command(seq))}\n`);
    const event = await answer;
    if (hasType(event, answerType)) return event;
    throw new ProbeError('PROBE_PROTOCOL', `robotgc-probe answered ${event.type} where ${answerType} was due`);
  }

  #beginStop(): void {
    if (this.#end !== undefined) return;
    this.#end = new ProbeError('PROBE_STOPPED', 'robotgc-probe was stopped by its owner');
    this.#child.stdin.end();
    this.#stopTimer = setTimeout(() => this.#child.kill('SIGKILL'), stopGraceMs);
  }

  #readStdout(): void {
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#answers.progress();
      for (const line of this.#lines.push(chunk)) this.#onLine(line);
    });
  }

  #readStderr(): void {
    const lines = new LineSplitter(maxLineBytes);
    this.#child.stderr.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#options.onLog?.(line);
    });
  }

  #onLine(line: string): void {
    const parsed = parseEventLine(line);
    if (parsed.kind === 'event') this.#onEvent(parsed.event);
    else if (parsed.kind === 'unknown') this.#counters.unknownEvents += 1;
    else this.#counters.invalidLines += 1;
  }

  #onEvent(event: ProbeEvent): void {
    switch (event.type) {
      case 'ready':
        this.#onReady(event);
        return;
      case 'error':
        this.#onError(event);
        return;
      case 'flushed':
        this.#flushes.set(event.seq, this.#events.take(event.atNs));
        this.#answers.resolve(event.seq, event);
        return;
      case 'attached':
      case 'detached':
      case 'watching':
      case 'unwatched':
      case 'runs':
      case 'triggerSet':
      case 'triggerCleared':
      case 'pong':
        if (event.seq !== undefined) this.#answers.resolve(event.seq, event);
        return;
      case 'pressure':
      case 'pressureGone':
        this.#onTrigger(event);
        return;
      default:
        this.#events.add(event);
    }
  }

  #onReady(event: ReadyEvent): void {
    if (event.protocol !== probeProtocol) {
      const message = `robotgc-probe speaks protocol ${event.protocol}, this program ${probeProtocol}: install the two from the same release`;
      this.fail(new ProbeError('PROBE_PROTOCOL', message));
      return;
    }
    this.#readyEvent = event;
    this.#ready.resolve(event);
  }

  #onError(event: ErrorEvent): void {
    const error = new ProbeError(event.code, event.message);
    if (event.seq !== undefined && this.#answers.reject(event.seq, error)) return;
    // Before `ready` an error is the reason why the probe is about to exit.
    if (this.#readyEvent === undefined) this.#end ??= error;
    else this.#options.onError?.(error);
  }

  async #superviseExit(): Promise<ProbeExit> {
    const { promise, resolve } = Promise.withResolvers<ProbeExit>();
    this.#child.once('error', (cause: Error) => {
      const message = `robotgc-probe cannot be started: ${cause.message}`;
      const error = new ProbeError('PROBE_NOT_STARTED', message, { cause });
      if (this.#child.pid === undefined) resolve({ exitCode: null, exitSignal: null, error });
    });
    // 'close', not 'exit': all output has been read by then.
    this.#child.once('close', (exitCode, exitSignal) => {
      const how = exitSignal === null ? `with code ${exitCode}` : `by ${exitSignal}`;
      const message = `robotgc-probe ended ${how}: nothing is observed until it is started again`;
      resolve({ exitCode, exitSignal, error: this.#end ?? new ProbeError('PROBE_EXITED', message) });
    });
    const exit = await promise;
    clearTimeout(this.#stopTimer);
    this.#end ??= exit.error;
    this.#answers.rejectAll(exit.error);
    this.#ready.reject(exit.error);
    return exit;
  }
}

function hasType<T extends ProbeEvent['type']>(event: ProbeEvent, type: T): event is Extract<ProbeEvent, { type: T }> {
  return event.type === type;
}
