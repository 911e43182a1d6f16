/**
 * `node pod-limits.ts SETTINGS`: drives a container of a real pod through throttling, reclaim, an in-place resize and an OOM kill with its
 * restart while `robotgc agent` samples it, and reads the kernel's own files beside it. Prints one JSON object; judges nothing.
 *
 * Needs pure cgroup v2. The container runs the hog, which takes its requests from a FIFO of the folder that it shares with this.
 */
import { execFile } from 'node:child_process';
import { openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { until } from '../../support/until.ts';
import { type SentWindow, startAgent } from './agent.ts';
import { KernelFiles, keyed, wallMs } from './kernel-files.ts';
import { windowsOfNow } from './watched.ts';

const Settings = z.object({
  robotgc: z.string(),
  kubectl: z.string(),
  kubeconfig: z.string(),
  node: z.string(),
  /** The pod's cgroup; that of each container lies below it. */
  podGroup: z.string(),
  containerId: z.string(),
  /** Of the machine; the container has its files `requests` and `pages` at /work. */
  folder: z.string(),
  /** What the pod's memory limit becomes. */
  resizedMiB: z.int(),
});
const settings = Settings.parse(JSON.parse(process.argv[2] ?? ''));
const { podGroup, containerId, folder } = settings;
const mib = 2 ** 20;
const patienceMs = 180_000;

const phases: { name: string; fromMs: number; untilMs: number }[] = [];
const requests = openSync(join(folder, 'requests'), 'r+');
const tell = (request: string) => writeSync(requests, `${request}\n`);
const groupsNow = () =>
  readdirSync(podGroup, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
/** What the kernel counted of all containers that the pod had. */
const podEvents = () => keyed(readFileSync(join(podGroup, 'memory.events'), 'utf8'));

const kernelOf = new Map<string, KernelFiles>();
function read(id: string): KernelFiles {
  const files = new KernelFiles(join(podGroup, id));
  files.start();
  kernelOf.set(id, files);
  return files;
}

const podEventsBefore = podEvents();
const agent = await startAgent({ ...settings, folder: join(folder, 'agent') });
const windowsOf = (id: string): readonly SentWindow[] =>
  agent.alive().windows.filter((each) => each.containerId === id);
const windowsMore = (id: string) => windowsOfNow(() => windowsOf(id), patienceMs);
async function phase(name: string, work: () => Promise<void>): Promise<void> {
  const fromMs = wallMs();
  process.stderr.write(`${name}\n`);
  try {
    await work();
  } catch (error) {
    throw new Error(`${name}: ${error}; the agent's last words: ${agent.words().slice(-3000)}`);
  }
  phases.push({ name, fromMs, untilMs: wallMs() });
}

const first = read(containerId);
const firstEvent = (name: string) => first.now().events[name] ?? Number.NaN;
const limitOf = (id: string) => windowsOf(id).at(-1)?.cgroup?.memoryLimitBytes;

await phase('the agent finds the container', () => windowsMore(containerId));
await phase('at work', async () => {
  tell('anon 40');
  await until('the heap is there', () => first.now().current > 40 * mib, patienceMs);
  await windowsMore(containerId);
});
await phase('throttled above memory.high', async () => {
  const high = join(podGroup, containerId, 'memory.high');
  // Below what is used: every batch of pages then waits.
  writeFileSync(high, String(first.now().current - 2 * mib));
  tell('anon 44');
  await until('memory.high was exceeded', () => firstEvent('high') >= 5, patienceMs);
  await until(
    'a window shows memory.high',
    () => windowsOf(containerId).at(-1)?.cgroup?.memoryHighBytes != null,
    patienceMs,
  );
  writeFileSync(high, 'max');
  await windowsMore(containerId);
});
await phase('reclaims below memory.max', async () => {
  tell('read /work/pages');
  const { stat } = first.now();
  await until('memory.max was hit', () => firstEvent('max') >= 100, patienceMs);
  await until('pages were reclaimed', () => (first.now().stat.pgsteal ?? 0) > (stat.pgsteal ?? 0) + 10_000, patienceMs);
  await windowsMore(containerId);
});
await phase('resized in place', async () => {
  const limits = { limits: { memory: `${settings.resizedMiB}Mi` } };
  const patch = JSON.stringify({ spec: { containers: [{ name: 'hog', resources: limits }] } });
  await promisify(execFile)(settings.kubectl, ['patch', 'pod', 'hog', '--subresource=resize', '--patch', patch], {
    env: { ...process.env, KUBECONFIG: settings.kubeconfig },
    timeout: patienceMs,
  });
  await until('the kubelet resized the container', () => first.now().max === settings.resizedMiB * mib, patienceMs);
  await until('a window has the new limit', () => limitOf(containerId) === settings.resizedMiB * mib, patienceMs);
  await windowsMore(containerId);
  tell('rest');
  await windowsMore(containerId);
});
const groupsBefore = new Set(groupsNow());
const newContainer = () => groupsNow().find((id) => /^[0-9a-f]{64}$/.test(id) && !groupsBefore.has(id));
await phase('killed', async () => {
  tell('anon 400');
  await until('the container was started again', () => newContainer() !== undefined, patienceMs);
});
const secondId = newContainer() ?? '';
const second = read(secondId);
await phase('the new container', async () => {
  await until('windows of the new container', () => windowsOf(secondId).length >= 3, patienceMs, 20);
  tell('anon 20');
  await until('its heap is there', () => second.now().current > 20 * mib, patienceMs);
  await windowsMore(secondId);
});
const exitCode = await agent.end();
for (const kernel of kernelOf.values()) await kernel.stop();

console.log(
  JSON.stringify({
    phases,
    containers: [...kernelOf].map(([id, { readings }]) => ({ id, readings })),
    podEventsBefore,
    podEventsAfter: podEvents(),
    windows: agent.windows,
    exitCode,
    words: agent.words(),
  }),
);
