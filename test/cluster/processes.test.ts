import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assertRunning,
  isRunning,
  parseStartTicks,
  startDaemon,
  startTicksOf,
  stopProcess,
  waitUntil,
} from './processes.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'robotgc-processes-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('start time of a process', () => {
  const rest = 'S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 424242 20 21';

  it.each(['sleep', 'a b', ') S 9 (', '((('])('is found behind a command named %j', (name) => {
    expect(parseStartTicks(`77 (${name}) ${rest}`)).toBe('424242');
  });

  it('is absent for a zombie, which has ended', () => {
    const zombie = `77 (x) Z${rest.slice(1)}`.replace(' 17 ', ' 1 ');
    expect(parseStartTicks(zombie)).toBeUndefined();
  });

  it('is still there while the other threads of a zombie are dying', () => {
    expect(parseStartTicks(`77 (x) Z${rest.slice(1)}`)).toBe('424242');
  });

  it('is absent for a number that no process has', () => {
    expect(startTicksOf(2 ** 22 + 1)).toBeUndefined();
  });
});

describe('a recorded process', () => {
  const daemon = (script: string, name: string) =>
    startDaemon({ name, command: ['sh', '-c', script], logPath: join(dir, `${name}.log`) });

  it('runs until stopped, and stopping twice is fine', async () => {
    const record = await daemon('echo hello; exec sleep 60', 'polite');
    expect(isRunning(record)).toBe(true);
    expect(await waitUntil(async () => (await readFile(record.logPath, 'utf8')) === 'hello\n', 2_000)).toBe(true);
    await stopProcess(record);
    expect(isRunning(record)).toBe(false);
    await stopProcess(record);
  });

  it('is killed when it does not listen', async () => {
    const record = await daemon("trap '' TERM; echo set; while :; do sleep 0.1; done", 'stubborn');
    await waitUntil(async () => (await readFile(record.logPath, 'utf8')) === 'set\n', 2_000);
    await stopProcess(record, 200);
    expect(isRunning(record)).toBe(false);
  });

  it('is not mistaken for a later process under the same number', async () => {
    const record = await daemon('exec sleep 60', 'first');
    const impostor = { ...record, startTicks: String(Number(record.startTicks) - 1) };
    expect(isRunning(impostor)).toBe(false);
    await stopProcess(impostor);
    expect(isRunning(record)).toBe(true);
    await stopProcess(record);
  });

  it('that ended by itself is told with the end of its log', async () => {
    const record = await daemon('echo no such flag >&2; sleep 0.2; exit 1', 'broken');
    await waitUntil(() => !isRunning(record), 5_000);
    expect(() => assertRunning(record)).toThrow(/broken ended by itself[\s\S]*no such flag/);
  });

  it('dies with the program that started it when asked to', async () => {
    const starter = `import { startDaemon } from ${JSON.stringify(new URL('./processes.ts', import.meta.url).href)};
      const record = await startDaemon({ name: 'child', command: ['sleep', '60'], logPath: '/dev/null', dieWithParent: true });
      console.log(JSON.stringify(record));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', starter], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) => parent.stdout.once('data', (data) => resolve(String(data))));
    const record = JSON.parse(line);
    // From then on the kernel has been told: setpriv has become the program.
    const program = () => readFileSync(`/proc/${record.pid}/comm`, 'utf8').trim();
    expect(await waitUntil(() => program() === 'sleep', 10_000)).toBe(true);
    parent.kill('SIGKILL');
    expect(await waitUntil(() => !isRunning(record), 10_000)).toBe(true);
  });
});
