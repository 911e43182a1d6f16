import { defineConfig } from 'vitest/config';

const always = ['**/node_modules/**', '**/dist/**'];

/** Tests on this machine that measure no time: three files at once. */
const shared = [
  '{bpf,src/gobin,src/capture,src/cli,test/cluster,test/third-party}/**/*.host.test.ts',
  'src/agent/sampler/{activity-poller,exact-openssl,progress,without-probe}.host.test.ts',
  'src/agent/live/{cooperation,processes}.host.test.ts',
  'src/host/{connections,controller-reader,exposition,gc-writer,host,mapped-files,process-memory}.host.test.ts',
  'src/host/probe/{exact-builds,exits,reasons,while-marking}.host.test.ts',
  'test/robustness/{agent-killed,come-and-go,containers,overlay,probe-ends}.host.test.ts',
];

/**
 * What stands on real processes, kernels and servers is at the mercy of a machine that others use too: a second try shows whether that was it,
 * and `npm test` lists each test that needed one, with what it said at first.
 */
const onRealGround = { exclude: always, retry: 1 };

/** Emulated processors take their time; each wait in there has a limit of its own, and words for it. */
const emulated = { testTimeout: 180_000, hookTimeout: 900_000, fileParallelism: false };

/** One project per kind of ground a test stands on. `npm test` gives each parser a few thousand inputs, `npm run fuzz` a million. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...always, '**/*.{host,api,e2e,vm,fuzz}.test.ts'],
          testTimeout: 60_000,
          // They keep nothing in their modules: what they import is loaded once for all, which takes longer than most of them.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'host',
          ...onRealGround,
          include: ['{src,test,bpf}/**/*.host.test.ts'],
          exclude: [...always, ...shared],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'host-shared',
          ...onRealGround,
          include: shared,
          testTimeout: 180_000,
          hookTimeout: 300_000,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'api',
          ...onRealGround,
          include: ['{src,test}/**/*.api.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'vm',
          ...onRealGround,
          ...emulated,
          include: ['test/vm/kernel-*.vm.test.ts'],
        },
      },
      {
        test: {
          name: 'vm-cluster',
          ...onRealGround,
          ...emulated,
          include: ['test/vm/cluster.vm.test.ts'],
        },
      },
      {
        test: {
          name: 'e2e',
          ...onRealGround,
          include: ['test/e2e/*.e2e.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'fuzz',
          include: ['src/**/*.fuzz.test.ts'],
          exclude: always,
          testTimeout: 24 * 3_600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
