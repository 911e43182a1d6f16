import { defineConfig } from 'vitest/config';

const always = ['**/node_modules/**', '**/dist/**'];

/** Tests on this machine that measure no time: two files at once. */
const shared = [
  '{bpf,src/gobin,src/capture,src/cli,test/cluster,test/third-party}/**/*.host.test.ts',
  'src/agent/sampler/without-probe.host.test.ts',
  'src/host/{controller-reader,gc-writer,process-memory}.host.test.ts',
  'src/host/probe/exact-builds.host.test.ts',
  'test/robustness/{agent-killed,come-and-go,containers,overlay,probe-ends,short-lived}.host.test.ts',
];

/** One project per kind of ground a test stands on. `npm test` gives each parser a few thousand inputs, `npm run fuzz` a million. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...always, '**/*.{host,api,e2e,vm,fuzz}.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'host',
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
          include: shared,
          exclude: always,
          testTimeout: 180_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'api',
          include: ['{src,test}/**/*.api.test.ts'],
          exclude: always,
          testTimeout: 180_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/vm/*.vm.test.ts'],
          exclude: always,
          testTimeout: 180_000,
          // Emulated processors take their time; each wait in there has a limit of its own, and words for it.
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/*.e2e.test.ts'],
          exclude: always,
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
