/** A virtual machine: this host's files at their own paths, another kernel, pure cgroup v2. */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isRunning, processRecordSchema, startDaemon, stopProcess, waitUntil } from '../cluster/processes.ts';
import { run } from '../cluster/run.ts';
import { shellWord } from '../support/shell-word.ts';
import { VmError } from './errors.ts';
import { ensureTools } from './ground.ts';
import { writeInitrd } from './initrd.ts';
import { ensureKernel, type KernelVersion } from './kernels.ts';
import { qemuCommand } from './qemu.ts';

export interface BootOptions {
  readonly kernel: KernelVersion;
  /** Default 3072. */
  readonly memoryMiB?: number;
  /** Default 2; one thread runs them in turn. */
  readonly processors?: number;
  /** See `QemuSettings`. */
  readonly forwards?: ReadonlyMap<number, number>;
  readonly ways?: ReadonlyMap<number, number>;
  /** Where its files lie; default a temporary directory that goes when the machine ends. */
  readonly directory?: string;
  /** Default true: the machine does not outlive this process. */
  readonly dieWithParent?: boolean;
  /** From power-on until commands are taken; default 180 s. */
  readonly timeoutMs?: number;
  readonly onProgress?: (line: string) => void;
  /** While booting: aborts it. */
  readonly signal?: AbortSignal;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 120 s; then the command is killed in the machine. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const machineRecordSchema = z.object({ kernel: z.string(), directory: z.string(), qemu: processRecordSchema });
export type MachineRecord = z.infer<typeof machineRecordSchema>;

const diskBytes = 16 * 2 ** 30; // sparse

const bootTries = 3;

/**
 * Where a kernel patches its own code while it boots, the emulator may run the old code on another processor: then it panics, once in some
 * boots, and is booted anew.
 * @throws VmError BOOT_FAILED with the end of the console, MISSING_PROGRAM, NO_ARCHIVE
 */
export async function bootMachine(options: BootOptions): Promise<Machine> {
  for (let tries = 1; ; tries++) {
    try {
      return await bootOnce(options);
    } catch (error) {
      const mayRetry = error instanceof VmError && error.code === 'BOOT_FAILED' && tries < bootTries;
      if (!mayRetry || options.signal?.aborted) throw error;
      options.onProgress?.(`${error.message.split('\n', 1)[0]}; booting it again`);
    }
  }
}

async function bootOnce(options: BootOptions): Promise<Machine> {
  const { signal, onProgress = () => {} } = options;
  const withSignal = signal === undefined ? {} : { signal };
  await ensureTools(onProgress, signal);
  const kernel = await ensureKernel(options.kernel, { onProgress, ...withSignal });
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'robotgc-vm-')));
  const path = (name: string) => join(directory, name);
  let machine: Machine | undefined;
  try {
    await mkdir(path('jobs'), { recursive: true });
    await writeInitrd(kernel, path('initrd'));
    await writeFile(path('disk'), '');
    await truncate(path('disk'), diskBytes);
    await run(
      ['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'lazy_itable_init=1', path('disk')],
      withSignal,
    );
    await run(['mkfifo', path('port.in'), path('port.out')], withSignal);
    const startedMs = performance.now();
    const command = qemuCommand({
      kernel: kernel.image,
      initrd: path('initrd'),
      modules: kernel.modules,
      jobs: path('jobs'),
      disk: path('disk'),
      port: path('port'),
      console: path('console.log'),
      memoryMiB: options.memoryMiB ?? 3072,
      processors: options.processors ?? 2,
      forwards: options.forwards ?? new Map(),
      ways: options.ways ?? new Map(),
      busybox: kernel.busybox,
    });
    const qemu = await startDaemon({
      name: 'qemu',
      command,
      logPath: path('qemu.log'),
      dieWithParent: options.dieWithParent ?? true,
    });
    machine = new Machine({ kernel: options.kernel, directory, qemu });
    await machine.untilReady(options.timeoutMs ?? 180_000, signal);
    onProgress(`kernel ${kernel.release} is up after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    return machine;
  } catch (error) {
    await machine?.stop();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

export class Machine implements AsyncDisposable {
  readonly record: MachineRecord;
  #jobs = 0;

  constructor(record: MachineRecord) {
    this.record = record;
  }

  get isRunning(): boolean {
    return isRunning(this.record.qemu);
  }

  /** What the kernel and the machine's own scripts printed. */
  async console(): Promise<string> {
    return readFile(this.#path('console.log'), 'utf8').catch(() => '');
  }

  /** @throws VmError BOOT_FAILED */
  async untilReady(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const ready = () => existsSync(this.#path('jobs', 'ready'));
    await waitUntil(() => ready() || !this.isRunning, timeoutMs, signal);
    if (ready() && this.isRunning) return;
    const why = this.isRunning ? `not up within ${timeoutMs / 1000} s` : 'ended by itself';
    const words = [await readFile(this.#path('qemu.log'), 'utf8').catch(() => ''), (await this.console()).slice(-3000)];
    throw new VmError('BOOT_FAILED', `the machine with kernel ${this.record.kernel} is ${why}\n${words.join('\n')}`);
  }

  /**
   * Runs a command as root to its end, whatever that is. Several may run at a time.
   * @throws VmError TIMED_OUT, ENDED when the machine is gone; in both cases with what the command printed
   */
  async run(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const job = await this.start(command, options);
    return job.ended(options.timeoutMs ?? 120_000, options.signal);
  }

  /** Starts a command and lets it run. */
  async start(command: readonly string[], options: Pick<CommandOptions, 'cwd' | 'env'> = {}): Promise<Job> {
    const id = `${process.pid}-${Date.now()}-${this.#jobs++}`;
    const directory = this.#path('jobs', id);
    await mkdir(directory);
    await writeFile(join(directory, 'command'), script(command, options));
    await this.#say(`run ${id}`);
    return new Job(this, directory, () => this.#say(`end ${id}`));
  }

  /** Ends it at once; nothing in it is worth keeping. */
  async stop(): Promise<void> {
    await stopProcess(this.record.qemu, 5_000);
    await rm(this.record.directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #say(line: string): Promise<void> {
    if (!this.isRunning) throw new VmError('ENDED', 'the machine has ended');
    await appendFile(this.#path('port.in'), `${line}\n`);
  }

  #path(...names: string[]): string {
    return join(this.record.directory, ...names);
  }
}

/** A command that runs in a machine. */
export class Job {
  readonly #machine: Machine;
  readonly #directory: string;
  readonly #kill: () => Promise<void>;

  constructor(machine: Machine, directory: string, kill: () => Promise<void>) {
    this.#machine = machine;
    this.#directory = directory;
    this.#kill = kill;
  }

  /** What it has printed so far. */
  stdout(): Promise<string> {
    return this.#read('stdout');
  }

  stderr(): Promise<string> {
    return this.#read('stderr');
  }

  /** SIGKILL to the command and all that it started in its session's group. */
  kill(): Promise<void> {
    return this.#kill();
  }

  async ended(timeoutMs: number, signal?: AbortSignal): Promise<CommandResult> {
    const code = join(this.#directory, 'code');
    try {
      await waitUntil(() => existsSync(code) || !this.#machine.isRunning, timeoutMs, signal);
    } catch (error) {
      await this.kill().catch(() => {});
      throw error;
    }
    if (existsSync(code)) {
      return { code: Number(await readFile(code, 'utf8')), stdout: await this.stdout(), stderr: await this.stderr() };
    }
    const said = `${await this.stdout()}\n${await this.stderr()}`.slice(-3000);
    if (!this.#machine.isRunning) {
      const words = (await this.#machine.console()).slice(-1500);
      throw new VmError('ENDED', `the machine ended before its command did\n${said}\n${words}`);
    }
    await this.kill();
    throw new VmError('TIMED_OUT', `the command did not end within ${timeoutMs / 1000} s\n${said}`);
  }

  #read(name: string): Promise<string> {
    return readFile(join(this.#directory, name), 'utf8').catch(() => '');
  }
}

function script(command: readonly string[], { cwd, env = {} }: Pick<CommandOptions, 'cwd' | 'env'>): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${shellWord(value)}\n`);
  return `${exports.join('')}cd ${shellWord(cwd ?? '/')} || exit 126\nexec ${command.map(shellWord).join(' ')}\n`;
}

/** The machine that another process booted, if it still runs. */
export function openMachine(record: MachineRecord): Machine | undefined {
  const machine = new Machine(record);
  return machine.isRunning ? machine : undefined;
}
