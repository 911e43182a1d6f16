/** Containers' roots as a runtime makes them: one image's folder under many mounts of overlayfs, in a mount namespace of their own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { until } from '../support/until.ts';

const script = `
mount -t tmpfs image "$ROOT" && mkdir "$ROOT/image" && cp "$PROGRAM" "$ROOT/image/robot" || exit 1
for i in $(seq 0 $((COUNT - 1))); do
  mkdir "$ROOT/upper$i" "$ROOT/work$i" "$ROOT/c$i" &&
    mount -t overlay c$i -o "lowerdir=$ROOT/image,upperdir=$ROOT/upper$i,workdir=$ROOT/work$i" "$ROOT/c$i" || exit 1
done
touch "$ROOT/ready"
exec sleep infinity`;

export class OverlayMounts implements AsyncDisposable {
  readonly #holder: ChildProcess;
  readonly #root: string;

  private constructor(root: string, program: string, count: number) {
    this.#root = root;
    this.#holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ROOT: root, PROGRAM: program, COUNT: String(count) },
    });
  }

  /** @param root an empty folder */
  static async make(root: string, program: string, count: number): Promise<OverlayMounts> {
    const mounts = new OverlayMounts(root, program, count);
    const ready = (): boolean => {
      if (mounts.#holder.exitCode !== null) throw new Error(`overlayfs cannot be mounted ${count} times`);
      return existsSync(mounts.path('ready'));
    };
    await until('the roots are mounted', ready, 60_000, 50);
    return mounts;
  }

  /** What is at this path of theirs, seen from here. */
  path(inside: string): string {
    return `/proc/${this.#holder.pid}/root${this.#root}/${inside}`;
  }

  /** A command that runs another one inside: of container `i` its program. */
  program(i: number): string[] {
    return ['nsenter', `--mount=/proc/${this.#holder.pid}/ns/mnt`, '--', `${this.#root}/c${i}/robot`];
  }

  /** Runs a shell's line in the folder of container `i`. */
  run(i: number, line: string): void {
    execFileSync('nsenter', [`--mount=/proc/${this.#holder.pid}/ns/mnt`, '--', 'sh', '-ec', line], {
      cwd: '/',
      env: { ...process.env, HERE: `${this.#root}/c${i}`, IMAGE: `${this.#root}/image` },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#holder.once('exit', resolve));
    if (this.#holder.exitCode === null) this.#holder.kill('SIGKILL');
    await gone;
  }
}
