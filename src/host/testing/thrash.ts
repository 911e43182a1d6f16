/** A cgroup driven into its memory limit: on which machines that can be done, and by what. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export const cgroupRoot = '/sys/fs/cgroup';
export const isHybrid =
  existsSync(`${cgroupRoot}/memory/memory.usage_in_bytes`) && existsSync(`${cgroupRoot}/unified/memory.pressure`);
export const isV2 = !isHybrid && existsSync(`${cgroupRoot}/cgroup.subtree_control`);
export const missingCgroups =
  process.getuid?.() !== 0 ? 'not root' : isHybrid || isV2 ? undefined : 'no cgroup with PSI here';

/** Stands still until told, then reads a file of 160 MiB over and over: far more than the limit holds. */
const script = `
  const fs = require('node:fs');
  const file = process.argv[1];
  const chunk = Buffer.alloc(1 << 20, 7);
  const fd = fs.openSync(file, 'w+');
  fs.unlinkSync(file);
  let at = 0;
  process.stdin.on('data', () => {
    for (let i = 0; i < 160; i++) fs.writeSync(fd, chunk, 0, chunk.length, i << 20);
    setInterval(() => { for (let i = 0; i < 20; i++) fs.readSync(fd, chunk, 0, chunk.length, (at++ % 160) << 20); }, 1);
  });
  console.log('ready');
`;

export class Thrasher implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /** @param file that it makes, on a disk */
  static async start(file: string): Promise<Thrasher> {
    const child = spawn(process.execPath, ['-e', script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    const thrasher = new Thrasher(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return thrasher;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  begin(): void {
    this.#child.stdin?.write('go\n');
  }

  /** Until it is ended, it does nothing any more. */
  standStill(): void {
    this.#child.kill('SIGSTOP');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
