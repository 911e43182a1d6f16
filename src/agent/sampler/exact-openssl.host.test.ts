/** Handshakes of OpenSSL as the agent sees them: on sockets that do not block, and in a library that is loaded late. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../../../test/support/until.ts';
import { planLibssl } from '../../gobin/index.ts';
import { buildOnce } from '../../gobin/testing/go-toolchain.ts';
import { mappedLibssl, openFileReader, openProc } from '../../host/index.ts';
import { type HistogramEvent, type ProbeClient, ProbeError, startProbe } from '../../host/probe/index.ts';
import { buildProbe, missingGround } from '../../host/probe/testing/ground.ts';
import { mergeHistograms } from '../../host/probe/testing/histogram.ts';
import { Observer } from '../../host/probe/testing/observed.ts';
import { planOf } from '../../host/probe/testing/plan.ts';
import { Attachments } from './attachments.ts';
import { libsslRequest } from './libraries.ts';
import { buildPhases, Phases } from './testing/phases.ts';
import { recordingProbe } from './testing/recording-probe.ts';

const python = '/usr/bin/python3';
const library = ['/usr/lib/x86_64-linux-gnu/libssl.so.3', '/usr/lib/x86_64-linux-gnu/libssl.so.1.1'].find(existsSync);
const lacking = existsSync(python) && library !== undefined ? '' : ' (skipped: needs python3 and libssl)';
const missing = missingGround() || lacking;
const testdata = (name: string): string => fileURLToPath(new URL(`testdata/${name}`, import.meta.url));
/** Between the program's clock and the probe's points; a loaded machine takes its time. */
const slackNs = 50_000_000;
const delayMs = 80;

/** A program that answers each line with one. */
class Talker implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  constructor(program: string, ...args: string[]) {
    this.#child = spawn(program, args);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async answer(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`it ended: ${this.#child.stderr.read()}`);
    return value;
  }

  ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    return this.answer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

/** A way to an address on which every word takes its time, from there and back. */
async function slowWay(address: string): Promise<{ server: Server; port: number }> {
  const server = createServer((near) => {
    const far = connect(Number(address.split(':')[1]), '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => setTimeout(() => to.destroy(), delayMs));
      from.on('data', (data) => setTimeout(() => to.write(data), delayMs));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, port };
}

const handshake = z.object({ tookNs: z.int(), calls: z.int(), failed: z.boolean() });

describe.skipIf(missing !== '')(`handshakes of OpenSSL${missing}`, () => {
  let phases: string;
  let probe: ProbeClient;
  let observer: Observer;
  beforeAll(() => {
    buildProbe();
    phases = buildPhases();
  }, 300_000);
  beforeEach(async () => {
    probe = await startProbe();
    observer = new Observer(probe);
  });
  afterEach(() => probe.stop());

  const histogramsOf = (pid: number): HistogramEvent[] =>
    observer.of(pid).histograms.filter(({ of }) => of === 'openssl');

  async function shaken(pid: number, count: number): Promise<HistogramEvent[]> {
    await until(`${count} handshakes were seen`, async () => {
      await observer.take();
      return mergeHistograms(histogramsOf(pid)).count >= count;
    });
    return histogramsOf(pid);
  }

  it('last from the first call to the one that succeeds, where the socket does not block', async () => {
    await using server = new Phases(phases);
    await using client = new Talker(python, testdata('handshakes.py'));
    await client.answer();
    const [mapped] = mappedLibssl(client.pid);
    if (!mapped) throw new Error('the client has libssl mapped');
    using reader = openFileReader(mapped.path);
    const plan = planLibssl(reader);
    if (plan.kind !== 'ok') throw new Error(plan.message);
    await probe.attach(libsslRequest('libssl', mapped.path, plan));
    await probe.watch(client.pid, 'libssl');

    const { server: way, port } = await slowWay((await server.ask('serve')).address);
    try {
      const ask = async (trust: string) => handshake.parse(JSON.parse(await client.ask(`127.0.0.1 ${port} ${trust}`)));
      const theirs = [await ask('trusting'), await ask('trusting'), await ask('wary')];
      expect(theirs.map(({ failed }) => failed)).toEqual([false, false, true]);
      // Each waited for the slow peer, outside of the calls.
      expect(theirs.every(({ calls, tookNs }) => calls > 1 && tookNs > 2 * delayMs * 1e6)).toBe(true);
      const histograms = await shaken(client.pid, 3);
      expect(mergeHistograms(histograms).count).toBe(3);
      expect(histograms.reduce((sum, { failed = 0 }) => sum + failed, 0)).toBe(1);
      const told = observer.of(client.pid).waits.filter(({ on }) => on === 'openssl');
      expect(told.map(({ failed }) => failed)).toEqual([false, false, true]);
      for (const [i, { durationNs }] of told.entries()) {
        const tookNs = theirs[i]?.tookNs ?? 0;
        expect(durationNs).toBeLessThanOrEqual(tookNs);
        expect(durationNs).toBeGreaterThan(tookNs - slackNs);
      }
    } finally {
      way.close();
    }
  });

  it('a watch that fails half-way leaves nothing behind, and the next begins anew', async () => {
    await using client = new Talker(python, testdata('handshakes.py'));
    await client.answer();
    const executable = openProc().executable(client.pid);
    if (!executable) throw new Error('it runs');
    const ends = recordingProbe();
    const attachments = new Attachments(ends);
    ends.onAttach = async ({ id }) => {
      if (id.startsWith('lib')) throw new ProbeError('PROBE_TIMEOUT', 'no answer');
    };
    await expect(attachments.watch(client.pid, executable, planOf(phases))).rejects.toThrow('no answer');
    expect([ends.attached.size, ends.watched.size]).toEqual([0, 0]);
    ends.onAttach = async () => {};
    await attachments.watch(client.pid, executable, planOf(phases));
    expect([ends.attached.size, ends.watched.size]).toEqual([2, 1]);
    await attachments.unwatch(client.pid, executable, false);
    expect([ends.attached.size, ends.watched.size]).toEqual([0, 0]);
  });

  it('are seen in a library that a program loads long after its start', async () => {
    const binary = buildOnce('1.26.8', testdata('late'), 'late', [], { CGO_ENABLED: '1' });
    await using server = new Phases(phases);
    const [, serverPort = ''] = (await server.ask('serve')).address.split(':');
    await using late = new Talker(binary);
    await late.answer();
    const executable = openProc().executable(late.pid);
    if (!executable) throw new Error('it runs');
    const attachments = new Attachments(probe);
    await attachments.watch(late.pid, executable, planOf(binary));
    expect(await late.ask(`load ${library}`)).toBe('1');
    expect(await late.ask(`shake 127.0.0.1 ${serverPort}`)).toBe('1');
    await observer.take();
    expect(histogramsOf(late.pid)).toEqual([]);

    await attachments.look(late.pid);
    expect(await late.ask(`shake 127.0.0.1 ${serverPort}`)).toBe('1');
    expect(mergeHistograms(await shaken(late.pid, 1)).count).toBe(1);
    expect(attachments.missingOf(late.pid)).toEqual([]);

    // Another look finds nothing new, and the end of the last process takes the points out.
    await attachments.look(late.pid);
    await attachments.unwatch(late.pid, executable, false);
    expect(await late.ask(`shake 127.0.0.1 ${serverPort}`)).toBe('1');
    await observer.take();
    expect(mergeHistograms(histogramsOf(late.pid)).count).toBe(1);
  });
});
