/** The real robot as a local process, for tests. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../../test/cluster/ports.ts';
import { until } from '../../../test/support/until.ts';
import { inCgroups } from './pod-cgroup.ts';

const robots = fileURLToPath(new URL('../../../test/robots', import.meta.url));

export interface Robot {
  readonly pid: number;
  readonly pprofPort: number;
  readonly metricsPort: number;
  readonly controlPort: number;
  /** Ends it and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Builds it where that has not been done yet. @returns path of the binary */
export function buildRobot(): string {
  const folder = join(tmpdir(), `robotgc-agent-test-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const file = join(folder, 'robot');
  execFileSync('go', ['build', '-p', '2', '-o', file, './robot'], { cwd: robots, stdio: 'inherit' });
  return file;
}

export interface RobotOptions {
  readonly gogc: number;
  readonly sessions?: number;
  /** Runs it as this user. */
  readonly uid?: number;
  /** Written with the process's number before it becomes the robot. */
  readonly cgroupProcs?: readonly string[];
}

/** A busy robot: a few collections a second at a low GOGC. */
export async function startRobot(binary: string, options: RobotOptions): Promise<Robot> {
  const [pprofPort = 0, metricsPort = 0, controlPort = 0] = await freePorts(3);
  const args = [
    ...[
      '-sessions',
      String(options.sessions ?? 4000),
      '-messages-per-second',
      '3000',
      '-transitions-per-second',
      '600',
    ],
    ...[
      '-pprof',
      `127.0.0.1:${pprofPort}`,
      '-metrics',
      `127.0.0.1:${metricsPort}`,
      '-control',
      `127.0.0.1:${controlPort}`,
    ],
  ];
  const env = { ...process.env, GOGC: String(options.gogc) };
  const [program, ...words] = inCgroups(options.cgroupProcs ?? [], [binary, ...args]);
  const child = spawn(program, words, {
    stdio: 'ignore',
    env,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${pprofPort}/debug/pprof/cmdline`).then(
      (response) => response.ok,
      () => false,
    );
  await until('the robot serves its pprof', answers, 20_000, 50);
  return { pid: child.pid ?? 0, pprofPort, metricsPort, controlPort, stop: (signal) => stopChild(child, signal) };
}

export async function stopChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.kill(signal);
  await promise;
}

/** Why this machine cannot run tests that attach to processes; undefined when it can. */
export function whyNoHost(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
  } catch {
    return 'needs the Go toolchain';
  }
  return undefined;
}
