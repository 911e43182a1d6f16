/**
 * Records robots with known faults, for the tests of the diagnosis:
 *
 *     node test/diagnosis/record.ts [--together N] [--only WORD] [--look] LABEL…
 *
 * As root on a machine with the probe built and the controllers of cgroup v1. Some twenty seconds for N runs; a leak takes two and a half minutes.
 * What was recorded before under the same label and name is replaced; with `--look` nothing is kept. Prints what each run is diagnosed as.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PolicySpec } from '../../src/api/index.ts';
import { BenchError } from '../bench/errors.ts';
import { withGoBinary } from '../bench/go-program.ts';
import { Robot, withRobotBinary } from '../bench/robot.ts';
import { type Programs, startCompanion } from './companions.ts';
import { type Fault, LABELS, watchedSeconds } from './fault.ts';
import { faults } from './faults/index.ts';
import { Node } from './ground.ts';
import { allRecordings, type Recording, readRecordings, writeRecordings } from './recordings.ts';
import { table, verdictOf, verdictText } from './verdict.ts';
import { Watch } from './watch.ts';

/** In which a fault that recurs has not begun: what an incident's windows begin with. */
const calmSeconds = 4;

const { values, positionals } = parseArgs({
  options: {
    together: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    look: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const labels = LABELS.filter((label) => positionals.includes(label));
const chosen = faults.filter(({ label, name }) => labels.includes(label) && name.includes(values.only));

const looked: Recording[] = [];
const folder = await mkdtemp(join(tmpdir(), 'robotgc-diagnosis-'));
try {
  await withRobotBinary((robot) =>
    withGoBinary(fileURLToPath(new URL('./testdata/companion', import.meta.url)), '.', (companion) =>
      recordAll({ robot, companion, folder }),
    ),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(table(values.look ? looked : allRecordings()));

async function recordAll(programs: Programs): Promise<void> {
  const watch = new Watch();
  const together = Number(values.together);
  try {
    for (let first = 0; first < chosen.length; first += together) {
      const batch = chosen.slice(first, first + together);
      const settled = await Promise.allSettled(batch.map((fault) => record(programs, watch, fault)));
      for (const outcome of settled) {
        if (outcome.status === 'rejected') console.error(outcome.reason);
        else take(outcome.value);
      }
    }
  } finally {
    await watch.end();
  }
}

async function record(programs: Programs, watch: Watch, fault: Fault): Promise<Recording> {
  const { label, name, noise, policy = {}, seconds = watchedSeconds } = fault;
  await using node = new Node();
  const container = node.add(fault.container ?? {}, fault.node);
  await using robot = await Robot.start(programs.robot, { ...fault.robot, cgroupProcs: container.procsFiles });
  for (const { companion, where, limits } of fault.beside ?? []) {
    await startCompanion(programs, companion, where === 'container' ? container : node.add(limits ?? {}), node);
  }
  const spec = PolicySpec.parse({
    selector: { matchLabels: { app: 'robot' } },
    sla: { latencyP99: '200ms' },
    activity: { podMetric: { port: robot.metricsPort, name: 'robot_active_sessions' } },
    actions: { mode: 'Auto', apply: ['Live', 'Resize', 'Rollout'] },
    ...policy,
  });
  const windows = watch.follow(container, spec);
  await sleep(calmSeconds * 1000);
  if (fault.once) await robot.set(fault.once);
  await recur(robot, fault, (seconds - calmSeconds) * 1000);
  return { label, name, noise, spec, ...(await windows.end()) };
}

async function recur(robot: Robot, { recurring }: Fault, forMs: number): Promise<void> {
  const endMs = performance.now() + forMs;
  for (let times = 0; recurring && performance.now() + recurring.everyMs < endMs; times++) {
    const change = recurring.changes[times % recurring.changes.length];
    // Where the machine is slow the one before is still under way: then there is one less.
    if (change) await robot.set(change).catch(unlessRefused);
    await sleep(recurring.everyMs);
  }
  await sleep(endMs - performance.now());
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof BenchError && error.code === 'ROBOT_REFUSED')) throw error;
}

function take(recording: Recording): void {
  console.log(verdictText(recording, verdictOf(recording)));
  if (values.look) looked.push(recording);
  else keep(recording);
}

function keep(recording: Recording): void {
  const { label, name } = recording;
  const names = faults.filter((fault) => fault.label === label).map((fault) => fault.name);
  const others = readRecordings(label).filter((other) => other.name !== name && names.includes(other.name));
  const all = [...others, recording].sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  writeRecordings(label, all);
}
