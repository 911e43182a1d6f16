/** What the agent sees of waits for memory and the network against strace, the kernel's own counters and the programs' own clocks. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../../test/cluster/ports.ts';
import { until } from '../../../test/support/until.ts';
import { planLibssl } from '../../gobin/index.ts';
import { mappedLibssl, openFileReader, openProc } from '../../host/index.ts';
import { type NetworkKind, type ProbeClient, startProbe, type WaitKind } from '../../host/probe/index.ts';
import { memoryWaitKinds } from '../../host/probe/protocol.ts';
import { sum } from '../../host/probe/testing/buckets.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  sleep,
  temporaryFolder,
} from '../../host/probe/testing/ground.ts';
import { mergeHistograms } from '../../host/probe/testing/histogram.ts';
import { HitCounter, missingTracefs } from '../../host/probe/testing/hit-counter.ts';
import { Observer, type Seen } from '../../host/probe/testing/observed.ts';
import { planOf } from '../../host/probe/testing/plan.ts';
import { Attachments } from './attachments.ts';
import { libsslRequest } from './libraries.ts';
import { buildPhases, Phases } from './testing/phases.ts';

function lacks(...programs: string[]): string {
  const missing = programs.filter(
    (program) => !existsSync(`/usr/bin/${program}`) && !existsSync(`/usr/sbin/${program}`),
  );
  return missing.length > 0 ? ` (skipped: needs ${missing.join(', ')})` : '';
}

const missing = missingGround();
const proc = openProc();
/** What may lie between the program's clock and the probe's points; a loaded machine takes its time. */
const slackNs = 20_000_000;

describe.skipIf(missing !== '')(`waits as the agent sees them${missing}`, () => {
  let binary = '';
  let probe: ProbeClient;
  let observer: Observer;
  let attachments: Attachments;
  beforeAll(() => {
    buildProbe();
    binary = buildPhases();
  }, 300_000);
  beforeEach(async () => {
    probe = await startProbe();
    observer = new Observer(probe);
    attachments = new Attachments(probe);
  });
  afterEach(() => probe.stop());
  afterAll(removeTemporaryFolders);

  /** Watches a program as the agent does, from when it is at rest. */
  async function watch(phases: Phases): Promise<() => Promise<Seen>> {
    await phases.ask('rest');
    const executable = proc.executable(phases.pid);
    if (!executable) throw new Error('it runs');
    await attachments.watch(phases.pid, executable, planOf(binary));
    await sleep(200);
    await observer.take();
    observer.forget(phases.pid);
    return async () => {
      await sleep(100);
      await observer.take();
      const seen = observer.of(phases.pid);
      observer.forget(phases.pid);
      expect(observer.lost).toBe(0);
      return seen;
    };
  }

  const durations = (seen: Seen, on: WaitKind): number[] =>
    seen.waits.filter((wait) => wait.on === on).map(({ durationNs }) => durationNs);
  const ofKind = (seen: Seen, on: NetworkKind) => seen.histograms.filter(({ of }) => of === on);
  const failures = (seen: Seen, on: NetworkKind): number => sum(ofKind(seen, on).map(({ failed = 0 }) => failed));

  /** Each as long as the program says, or a little shorter: its clock runs around what the probe times. */
  function expectSameLengths(ours: readonly number[], theirs: readonly number[]): void {
    expect(ours).toHaveLength(theirs.length);
    const ascending = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);
    const longest = ascending(theirs);
    for (const [i, durationNs] of ascending(ours).entries()) {
      expect(durationNs).toBeLessThanOrEqual((longest[i] ?? 0) + 1_000);
      expect(durationNs).toBeGreaterThan((longest[i] ?? 0) - slackNs);
    }
  }

  /** The same of those that are counted only: as many, as long all together, and the longest as long. */
  function expectSameInAll(seen: Seen, on: NetworkKind, theirs: readonly number[]): void {
    const { count, sumNs, maxNs } = mergeHistograms(ofKind(seen, on));
    expect(count).toBe(theirs.length);
    expect(sumNs).toBeLessThanOrEqual(sum(theirs));
    expect(sumNs).toBeGreaterThan(sum(theirs) - theirs.length * slackNs);
    expect(maxNs).toBeLessThanOrEqual(Math.max(...theirs));
    // Of many, one may be held up for longer between the program's clock and ours.
    expect(maxNs).toBeGreaterThan(Math.max(...theirs) - 5 * slackNs);
  }

  describe('memory', () => {
    it.skipIf(lacks('strace') !== '')(
      `counts the mmap and munmap calls that strace counts${lacks('strace')}`,
      async () => {
        await using phases = new Phases(binary);
        const file = join(temporaryFolder('strace'), 'calls');
        await phases.ask('rest');
        const strace = spawn('strace', ['-f', '-e', 'trace=mmap,munmap', '-o', file, '-p', String(phases.pid)]);
        await once(strace.stderr, 'data'); // "Process … attached"
        await sleep(300);
        const seen = await watch(phases);
        const before = readFileSync(file, 'utf8').length;
        await phases.ask('mmap 500');
        await phases.ask('grow 100');
        await phases.ask('overmap 7');
        const { histograms, counts } = await seen();
        strace.kill('SIGINT');
        await once(strace, 'exit');
        const lines = readFileSync(file, 'utf8').slice(before).split('\n');
        const calls = (name: string): number => lines.filter((line) => line.includes(` ${name}(`)).length;
        const counted = (kind: 'mmap' | 'munmap'): number =>
          mergeHistograms(histograms.filter(({ of }) => of === kind)).count;
        expect(calls('mmap')).toBeGreaterThanOrEqual(507);
        expect(calls('munmap')).toBeGreaterThanOrEqual(500);
        expect([counted('mmap'), counted('munmap')]).toEqual([calls('mmap'), calls('munmap')]);
        expect(sum(counts.map(({ mmapFailures }) => mmapFailures.count))).toBe(
          lines.filter((line) => /mmap\(.* = -1 ENOMEM/.test(line)).length,
        );
      },
    );

    it.skipIf(missingTracefs() !== '')(
      `counts as many growths of the heap as the kernel counts calls${missingTracefs()}`,
      async () => {
        await using phases = new Phases(binary);
        const points = planOf(binary).optional.flatMap((group) => (group.kind === 'ok' ? group.points : []));
        const grow = points.filter(({ point }) => point === 'heapGrow');
        expect(grow).toHaveLength(1);
        await phases.ask('rest');
        using counter = new HitCounter(binary, grow);
        const seen = await watch(phases);
        const before = counter.hits('heapGrow');
        await phases.ask('grow 300');
        const { counts } = await seen();
        const grown = counter.hits('heapGrow') - before;
        expect(grown).toBeGreaterThan(10);
        expect(sum(counts.map(({ heapGrows }) => heapGrows.count))).toBe(grown);
      },
    );
  });

  /** A loop of one process would cost others the room for their pauses. */
  function expectToldWithinAllowance(seen: Seen, kinds: readonly WaitKind[]): void {
    for (const kind of kinds) {
      const told = seen.waits.filter(({ on }) => on === kind);
      const endedIn = Map.groupBy(told, ({ startNs, durationNs }) => Math.floor((startNs + durationNs) / 1e9));
      for (const waits of endedIn.values()) expect(waits.length).toBeLessThanOrEqual(32);
    }
  }

  it('long waits for memory without end are all counted, and told within an allowance', async () => {
    await using phases = new Phases(binary);
    const seen = await watch(phases);
    await phases.ask('populate 200');
    const after = await seen();
    const slow = sum(after.histograms.map((histogram) => histogram.slow ?? 0));
    expect(slow).toBeGreaterThanOrEqual(200);
    const told = sum(memoryWaitKinds.map((kind) => durations(after, kind).length));
    const untold = sum(after.counts.map(({ untoldMemoryWaits }) => untoldMemoryWaits.count));
    expect([told + untold, untold > 0]).toEqual([slow, true]);
    expectToldWithinAllowance(after, memoryWaitKinds);
  });

  describe('TLS handshakes of Go', () => {
    it('are as many and as long as client and server say', async () => {
      await using phases = new Phases(binary);
      const seen = await watch(phases);
      const { clientNs, serverNs } = await phases.ask('handshakes 40');
      const waits = await seen();
      expect(clientNs).toHaveLength(40);
      expectSameInAll(waits, 'tlsClient', clientNs);
      expectSameInAll(waits, 'tlsServer', serverNs);
      expect([failures(waits, 'tlsClient'), failures(waits, 'tlsServer')]).toEqual([0, 0]);
    });

    it('that fail are told as failed', async () => {
      await using phases = new Phases(binary);
      const seen = await watch(phases);
      const { clientNs, failed } = await phases.ask('mistrust 10');
      const waits = await seen();
      expect(failed).toBe(10);
      expectSameInAll(waits, 'tlsClient', clientNs);
      expect(failures(waits, 'tlsClient')).toBe(10);
      expect(failures(waits, 'tlsServer')).toBe(10);
    });

    it.skipIf(lacks('openssl') !== '')(`with OpenSSL at the other end${lacks('openssl')}`, async () => {
      await using phases = new Phases(binary);
      const seen = await watch(phases);
      const { address } = await phases.ask('serve');
      for (let i = 0; i < 5; i++)
        execFileSync('openssl', ['s_client', '-connect', address], { input: '', stdio: 'pipe' });
      const { serverNs } = await phases.ask('served 5');
      const waits = await seen();
      expectSameInAll(waits, 'tlsServer', serverNs);
    });
  });

  it.skipIf(lacks('openssl') !== '')(`handshakes of OpenSSL, by its own server${lacks('openssl')}`, async () => {
    const folder = temporaryFolder('openssl');
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=phases',
    ];
    execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
    const [port = 0] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const server = spawn('openssl', ['s_server', '-accept', address, '-key', key, '-cert', certificate]);
    try {
      await once(server.stdout, 'data'); // "ACCEPT"
      await using phases = new Phases(binary);
      const pid = server.pid ?? -1;
      const [library] = mappedLibssl(pid);
      if (!library) throw new Error('openssl has libssl mapped');
      using reader = openFileReader(library.path);
      const plan = planLibssl(reader);
      if (plan.kind !== 'ok') throw new Error(plan.message);
      await probe.attach(libsslRequest('libssl', library.path, plan));
      await probe.watch(pid, 'libssl');
      const { clientNs } = await phases.ask(`call ${address} 20`);
      // Who closes without a word has not shaken hands.
      await phases.ask(`connect ${address} 5s`);
      await until('the server has seen it', async () => {
        await observer.take();
        return mergeHistograms(ofKind(observer.of(pid), 'openssl')).count >= 21;
      });
      const shaken = mergeHistograms(ofKind(observer.of(pid), 'openssl'));
      expect(clientNs).toHaveLength(20);
      expect([shaken.count, failures(observer.of(pid), 'openssl')]).toEqual([21, 1]);
      // A signature alone takes some 10 µs.
      expect(shaken.sumNs).toBeGreaterThan(20 * 10_000);
      expect(shaken.maxNs).toBeLessThan(2e9);
    } finally {
      server.kill('SIGKILL');
    }
  });

  describe('connections', () => {
    it('that are refused fail at once, and are counted', async () => {
      await using phases = new Phases(binary);
      const seen = await watch(phases);
      const { failed, waitNs } = await phases.ask('connect 127.0.0.1:1 5s');
      const waits = await seen();
      expect(failed).toBe(1);
      expectSameInAll(waits, 'connect', waitNs);
      expect(failures(waits, 'connect')).toBe(1);
    });

    it('that one program has refused without end cost others nothing, and are all counted', async () => {
      await using flooding = new Phases(binary);
      await using collecting = new Phases(binary);
      const [flood, collections] = [await watch(flooding), await watch(collecting)];
      const refused = 20_000;
      let flooded = false;
      const attempts = flooding.ask(`dials 127.0.0.1:1 5s 8 ${refused}`).finally(() => {
        flooded = true;
      });
      let forced = 0;
      for (; forced < 20 || !flooded; forced++) await collecting.ask('rest');
      expect((await attempts).failed).toBe(refused);
      // Each collection stops the world twice: to begin, and at the end of marking.
      const { pauses, cycles } = await collections();
      const stops = pauses.filter(({ reason }) => reason === 1 || reason === 2);
      expect([cycles.length, stops.length]).toEqual([forced, 2 * forced]);
      const seen = await flood();
      expect([mergeHistograms(ofKind(seen, 'connect')).count, failures(seen, 'connect')]).toEqual([refused, refused]);
    });

    it.skipIf(lacks('ip', 'iptables') !== '')(
      `to a port that answers late, and to one that never does, in a network of their own${lacks('ip', 'iptables')}`,
      async () => {
        const name = `robotgc-waits-${process.pid}`;
        const within = ['ip', 'netns', 'exec', name];
        const run = ([program = '', ...args]: readonly string[]): unknown =>
          execFileSync(program, args, { stdio: 'pipe' });
        run(['ip', 'netns', 'add', name]);
        try {
          run([...within, 'ip', 'link', 'set', 'lo', 'up']);
          await using phases = new Phases(binary, within);
          const seen = await watch(phases);
          const { address } = await phases.ask('serve');
          const port = address.split(':')[1] ?? '';
          const rule = ['INPUT', '-p', 'tcp', '--dport', port, '-j', 'DROP'];
          run([...within, 'iptables', '-A', ...rule]);
          const never = await phases.ask(`connect ${address} 700ms`);
          const late = phases.ask(`connect ${address} 10s`);
          await sleep(300);
          run([...within, 'iptables', '-D', ...rule]);
          const answered = await late;
          const { waits } = await seen();
          expect([never.failed, answered.failed]).toEqual([1, 0]);
          const connects = waits.filter(({ on }) => on === 'connect');
          expect(connects).toMatchObject([
            { failed: true, peer: address },
            { failed: false, peer: address },
          ]);
          expectSameLengths(
            connects.map(({ durationNs }) => durationNs),
            [...never.waitNs, ...answered.waitNs],
          );
          expect(connects[0]?.durationNs).toBeGreaterThan(600e6);
          // The kernel asks again after a second.
          expect(connects[1]?.durationNs).toBeGreaterThan(900e6);

          // Slow ones without end: each is counted, 32 a second are told, and how many were not is said.
          run([...within, 'iptables', '-A', ...rule]);
          const many = await phases.ask(`dials ${address} 50ms 300 600`);
          const after = await seen();
          expect(many.failed).toBe(600);
          // Where the machine is slow, time is up for some before they call the kernel, for others soon after.
          const { count } = mergeHistograms(ofKind(after, 'connect'));
          expect(failures(after, 'connect')).toBe(count);
          expect(count).toBeLessThanOrEqual(600);
          expect(count).toBeGreaterThan(500);
          const told = durations(after, 'connect');
          const untold = sum(after.counts.map(({ untoldWaits }) => untoldWaits.count));
          expect(told.length + untold).toBeLessThanOrEqual(count);
          expect(told.length + untold).toBeGreaterThan(400);
          expectToldWithinAllowance(after, ['connect']);
          expect(untold).toBeGreaterThan(0);
        } finally {
          run(['ip', 'netns', 'del', name]);
        }
      },
    );
  });

  it('reads that wait for data, while they are watched', async () => {
    await using phases = new Phases(binary);
    const seen = await watch(phases);
    const executable = proc.executable(phases.pid);
    if (!executable) throw new Error('it runs');
    await phases.ask('read 50ms');
    expect(durations(await seen(), 'read')).toEqual([]);
    const end = await attachments.watchReads(executable, planOf(binary));
    const { waitNs } = await phases.ask('read 20ms 50ms 120ms 5ms');
    const waits = durations(await seen(), 'read');
    await end();
    // Its listener waits for callers too, which is a read for the runtime.
    const long = waits.filter((durationNs) => durationNs > 15e6);
    for (const theirs of waitNs.filter((ns) => ns > 15e6))
      expect(long.some((ours) => ours <= theirs + 1_000 && ours > theirs - slackNs)).toBe(true);
    expect(long.length).toBeLessThanOrEqual(waitNs.length + 2);
    await phases.ask('read 50ms');
    expect(durations(await seen(), 'read')).toEqual([]);
  });
});
