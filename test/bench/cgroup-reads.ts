/** What reading cgroups costs, for as many as a full node has: `node test/bench/cgroup-reads.ts [COUNT]`, as root. Idle groups of its own. */
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { keptFileBudget } from '../../src/host/descriptor-budget.ts';
import { monotonicNs, openCgroup, openNodePressure, parsePressure } from '../../src/host/index.ts';
import { KeptFile } from '../../src/host/kept-file.ts';
import { readTextFile } from '../../src/host/text-file.ts';
import type { CgroupMembership, CgroupReader, ReadPace } from '../../src/host/types.ts';
import { PressureJudge } from '../../src/model/pressure-onset.ts';

const count = Number(process.argv[2] ?? 250);
const root = '/sys/fs/cgroup';
const isV2 = existsSync(`${root}/cgroup.controllers`);
const hierarchies = isV2 ? [''] : ['memory', 'cpu', 'cpuacct', 'unified'];
const group = `robotgc-bench-${process.pid}`;
const folders = hierarchies.flatMap((hierarchy) => {
  const parent = [root, hierarchy, group].filter((part) => part !== '').join('/');
  return [parent, ...Array.from({ length: count }, (_, index) => `${parent}/c${index}`)];
});
const membershipsOf = (index: number): CgroupMembership[] => [
  ...(isV2 ? [] : ['memory', 'cpu', 'cpuacct']).map((name, i) => ({
    hierarchy: i + 1,
    controllers: [name],
    path: `/${group}/c${index}`,
  })),
  { hierarchy: 0, controllers: [], path: `/${group}/c${index}` },
];

/** CPU time of one call of `work`, for each cgroup, in µs. */
function measure(what: string, work: () => void, timesPerSecond = 1): void {
  for (let i = 0; i < 10; i++) work();
  const rounds = 50;
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) work();
  const { user, system } = process.cpuUsage(before);
  const us = (user + system) / rounds / count;
  const share = (us * count * timesPerSecond) / 1e6;
  console.log(
    `${what.padEnd(52)} ${us.toFixed(1).padStart(6)} µs a cgroup ${(share * 100).toFixed(2).padStart(6)} % of a core`,
  );
}

for (const folder of folders) mkdirSync(folder);
try {
  const readers = Array.from({ length: count }, (_, index) => openCgroup(membershipsOf(index))).filter(
    (reader): reader is CgroupReader => reader !== undefined,
  );
  const readAll = (pace: ReadPace) => (): void => {
    for (const reader of readers) reader.read(pace);
  };
  measure('each tick, quiet: some files every fifth time', readAll('tick'));
  measure('each tick, if all were under pressure: every file', readAll('all'));
  const pressures = readers.map(({ pressureDirectory }) => `${pressureDirectory}/memory.pressure`);
  measure(
    'memory.pressure by open, read, close; 5 a second',
    () => {
      for (const path of pressures) readTextFile(path);
    },
    5,
  );
  const files = pressures.map(
    (path) => new KeptFile('memory.pressure', path, { parse: parsePressure, budget: keptFileBudget }),
  );
  const judges = files.map(() => new PressureJudge());
  const limits = { memoryPressureSome: 0.1, memoryPressureFull: 0.01 };
  const watch = (): void => {
    for (const [index, file] of files.entries()) {
      const pressure = file.read(false);
      const [someNs, fullNs] = [pressure?.some.totalNs ?? 0, pressure?.full?.totalNs ?? null];
      judges[index]?.judge({ atNs: monotonicNs(), someNs, fullNs }, limits);
    }
  };
  measure('memory.pressure read and judged; 5 a second', watch, 5);
  const node = openNodePressure();
  measure('/proc/pressure/*, once for all', () => node.read());
  console.log(`${keptFileBudget.taken} descriptors kept open`);
  for (const each of [...readers, ...files, node]) each.close();
} finally {
  for (const folder of folders.toReversed()) rmdirSync(folder);
}
