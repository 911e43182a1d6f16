/** The peer: bpftrace with the product's own plan for where to attach. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { planAttach } from '../../src/gobin/index.ts';
import { openFileReader } from '../../src/host/index.ts';
import { attachRequest } from '../../src/host/probe/index.ts';
import { bpftraceScript, printedCount, tickLine } from './bpftrace-script.ts';
import { BenchError } from './errors.ts';
import { LineProcess } from './line-process.ts';
import type { Observer, Seen } from './observer.ts';

const run = promisify(execFile);

/** It finds tracepoints by a file system that not every machine has mounted: then in a mount namespace of its own. */
const withTracefs = 'mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing; exec "$@"';

export class BpftraceObserver implements Observer {
  readonly #binary: string;
  readonly #points: Parameters<typeof bpftraceScript>[2];
  #process: LineProcess | null = null;

  private constructor(binary: string, points: Parameters<typeof bpftraceScript>[2]) {
    this.#binary = binary;
    this.#points = points;
  }

  /** @param binary the robot's, without a symbol table */
  static async of(binary: string): Promise<BpftraceObserver> {
    await run('bpftrace', ['--version']).catch((cause: unknown) => {
      const message = 'bpftrace is missing: install the package of this name, or measure without it by --no-peers';
      throw new BenchError('PEER_MISSING', message, cause);
    });
    using reader = openFileReader(binary);
    const plan = planAttach(reader);
    if (plan.kind === 'refused') throw new BenchError('ROBOT_NOT_BUILT', `the robot is refused: ${plan.message}`);
    return new BpftraceObserver(binary, attachRequest('robot', binary, plan).points);
  }

  get pids(): readonly number[] {
    return this.#process ? [this.#process.pid] : [];
  }

  async begin(pid: number): Promise<void> {
    const script = bpftraceScript(pid, this.#binary, this.#points);
    const bpftrace = ['bpftrace', '--unsafe', '-e', script];
    this.#process = new LineProcess('unshare', ['--mount', 'sh', '-ec', withTracefs, 'sh', ...bpftrace]);
    await this.#process.nextLine((line) => line === tickLine);
  }

  async end(): Promise<Seen> {
    const lines = (await this.#process?.interrupt()) ?? [];
    this.#process = null;
    const lost = lines.flatMap((line) => /^Lost (\d+) events$/.exec(line)?.[1] ?? []);
    return {
      cycles: printedCount(lines, 'cycles'),
      assistStalls: printedCount(lines, 'assistCount'),
      lostEvents: lost.reduce((sum, count) => sum + Number(count), 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.interrupt();
  }
}
