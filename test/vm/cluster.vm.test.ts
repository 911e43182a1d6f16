/** A container of a real pod at its limits, on a cluster with Linux 6.12 and pure cgroup v2: what `robotgc agent` says, against the kernel's own files. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { binaryNames, ensureBinaries } from '../cluster/binaries.ts';
import { buildGoImage, buildPauseImage } from '../cluster/images.ts';
import { apiForward, clusterMachine, startInMachine, type VmCluster } from '../cluster/vm.ts';
import { whyNoMachine } from './ground.ts';
import { podLimitsTests } from './pod-limits-suite.ts';
import { suiteMachine, TooSlow } from './suite.ts';
import { buildPrograms, hogFolder, type Programs } from './testing.ts';

const missing = whyNoMachine();
/** 158 s were fast enough; after 230 no watch of the agent was answered in time. */
const slowMs = 180_000;

describe.skipIf(missing !== '')(`a cluster on kernel 6.12 in a virtual machine${missing}`, async () => {
  let programs: Programs;
  let folder: string;
  const forwards = await apiForward();
  const over = new AbortController();
  beforeAll(async () => {
    programs = buildPrograms();
    folder = await mkdtemp(join(tmpdir(), 'robotgc-vm-cluster-'));
    // What the machine finds here it need not build.
    await ensureBinaries(binaryNames);
    await buildPauseImage();
  });
  const machine = suiteMachine({ kernel: '6.12', ...clusterMachine, forwards });
  async function start(): Promise<VmCluster> {
    const kubeconfigPath = join(folder, 'kubeconfig');
    const onProgress = () => {};
    const booted = await machine();
    const begunMs = performance.now();
    const cluster = await startInMachine(booted, {
      name: 'vm',
      // Of a whole one's programs these matter here, and emulated processors are slow.
      lean: true,
      forwards,
      kubeconfigPath,
      onProgress,
      signal: over.signal,
    });
    const tookMs = performance.now() - begunMs;
    if (tookMs > slowMs)
      throw new TooSlow(
        `the emulated cluster took ${Math.round(tookMs / 1000)} s to start, ${slowMs / 1000} at most are fast enough to watch it`,
      );
    await cluster.importImage(await buildGoImage({ dir: hogFolder, pkg: '.', name: 'hog' }));
    return cluster;
  }
  afterAll(async () => {
    over.abort(); // a hook that was given up does not end what it began
    programs?.[Symbol.dispose]();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  podLimitsTests(() => programs, start);
});
