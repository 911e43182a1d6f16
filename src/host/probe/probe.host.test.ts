/** How the real probe behaves: refusals, ends of every kind, privileges. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isHybrid, Thrasher } from '../testing/thrash.ts';
import {
  type AttachRequest,
  maxAttachments,
  type ProbeClient,
  type ProbeError,
  startProbe,
  type TriggerEvent,
  type TriggerRequest,
} from './index.ts';
import { type ErrorEvent, parseEventLine } from './protocol.ts';
import { assistsOnly } from './testing/buckets.ts';
import { buildChurn, Churn } from './testing/churn.ts';
import { buildProbe, missingGround, removeTemporaryFolders, sleep, temporaryFolder } from './testing/ground.ts';
import { attachPoints, goLayout } from './testing/points.ts';

const missing = missingGround();

describe.skipIf(missing !== '')(`the probe on real processes${missing}`, () => {
  let probePath = '';
  let binary = '';
  let points: AttachRequest['points'] = [];
  beforeAll(() => {
    probePath = buildProbe();
    binary = buildChurn();
    points = attachPoints(binary);
  });
  afterAll(removeTemporaryFolders);

  const requestFor = (churn: Churn, id = 'churn'): AttachRequest => ({
    id,
    file: `/proc/${churn.pid}/exe`,
    points,
    layout: goLayout,
  });

  async function watching(churn: Churn, options = {}): Promise<ProbeClient> {
    const probe = await startProbe({ path: probePath, ...options });
    await probe.attach(requestFor(churn));
    await probe.watch(churn.pid, 'churn');
    return probe;
  }

  /** Two pauses a forced cycle. */
  async function pausesOfOneCycle(probe: ProbeClient, churn: Churn): Promise<number> {
    await churn.ask('stop');
    await probe.flush();
    await churn.ask('gc');
    return (await probe.flush()).pauses.length;
  }

  /** Unharmed is who still allocates and collects. */
  async function expectWorking(churn: Churn): Promise<void> {
    const before = (await churn.ask('report')).numGC;
    const cycles = async (): Promise<number> => (await churn.ask('report')).numGC;
    await expect.poll(cycles, { timeout: 20_000 }).toBeGreaterThan(before + 2);
  }

  const codeOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'none',
      (error: ProbeError) => error.code,
    );

  describe('what it refuses', () => {
    it('does not attach where the bytes differ, and leaves the process alone', async () => {
      await using churn = new Churn(binary);
      await using probe = await startProbe({ path: probePath });
      const wrong = points.map((point, i) =>
        i === points.length - 1 ? { ...point, offset: point.offset + 1 } : point,
      );
      const refused = probe.attach({ ...requestFor(churn), points: wrong });
      await expect(refused).rejects.toMatchObject({
        code: 'BYTES_DIFFER',
        message: expect.stringContaining(`/proc/${churn.pid}/exe`),
      });
      await churn.ask('start');
      await expectWorking(churn);
      expect(await codeOf(probe.watch(churn.pid, 'churn'))).toBe('NOT_ATTACHED');
    });

    it('compares beyond the end of the file without harm', async () => {
      await using churn = new Churn(binary);
      await using probe = await startProbe({ path: probePath });
      const points = [{ point: 'stwEntry' as const, offset: 2 ** 40, bytes: '55' }];
      expect(await codeOf(probe.attach({ ...requestFor(churn), points }))).toBe('BYTES_DIFFER');
    });

    it('says what it does not know, and goes on', async () => {
      await using churn = new Churn(binary);
      await using probe = await watching(churn);
      expect(await codeOf(probe.attach(requestFor(churn)))).toBe('ALREADY_ATTACHED');
      expect(await codeOf(probe.attach({ ...requestFor(churn), id: 'b', file: '/nowhere' }))).toBe('NO_SUCH_FILE');
      expect(await codeOf(probe.attach({ ...requestFor(churn), id: 'b', file: '/tmp' }))).toBe('ATTACH_FAILED');
      expect(await codeOf(probe.watch(0x7fffffff, 'churn'))).toBe('NO_SUCH_PROCESS');
      expect(await codeOf(probe.unwatch(1))).toBe('NOT_WATCHED');
      expect(await codeOf(probe.detach('nothing'))).toBe('NOT_ATTACHED');
      const ret = [{ point: 'stwRet' as const, offset: 0, bytes: '7f' }];
      expect(await codeOf(probe.attach({ ...requestFor(churn), id: 'b', points: ret }))).toBe('BAD_COMMAND');
      await probe.ping();
      expect(await pausesOfOneCycle(probe, churn)).toBe(2);
    });

    it('holds as many attachments as it promises, and one less after a detach', async () => {
      await using probe = await startProbe({ path: probePath });
      const directory = temporaryFolder('copies');
      for (let i = 0; i <= maxAttachments; i++) {
        const file = join(directory, `churn${i}`);
        copyFileSync(binary, file);
        const attached = codeOf(probe.attach({ id: `a${i}`, file, points, layout: goLayout }));
        expect(await attached).toBe(i < maxAttachments ? 'none' : 'TOO_MANY_ATTACHMENTS');
      }
      await probe.detach('a3');
      await probe.attach({ id: 'again', file: binary, points });
    });
  });

  describe('what it watches', () => {
    it('reports only the processes it was told of, though others run the same file', async () => {
      await using watched = new Churn(binary);
      await using other = new Churn(binary);
      await using probe = await watching(watched);
      await Promise.all([watched.ask('stop'), other.ask('stop')]);
      await probe.flush();
      await Promise.all([watched.ask('gc'), other.ask('gc')]);
      const { pauses } = await probe.flush();
      expect(pauses.map((pause) => pause.pid)).toEqual([watched.pid, watched.pid]);
    });

    it('stops with unwatch, begins again with watch, ends with detach', async () => {
      await using churn = new Churn(binary);
      await using probe = await watching(churn);
      expect(await pausesOfOneCycle(probe, churn)).toBe(2);
      await probe.unwatch(churn.pid);
      expect(await pausesOfOneCycle(probe, churn)).toBe(0);
      await probe.watch(churn.pid, 'churn');
      await probe.watch(churn.pid, 'churn'); // harmless
      expect(await pausesOfOneCycle(probe, churn)).toBe(2);
      await probe.detach('churn');
      expect(await pausesOfOneCycle(probe, churn)).toBe(0);
      expect(await codeOf(probe.unwatch(churn.pid))).toBe('NOT_WATCHED');
    });

    it('leaves cycles out without a layout, and the stopping part out where it is not known', async () => {
      await using churn = new Churn(binary);
      await using probe = await startProbe({ path: probePath });
      await probe.attach({ id: 'churn', file: `/proc/${churn.pid}/exe`, points, stoppingKnown: false });
      await probe.watch(churn.pid, 'churn');
      await churn.ask('gc');
      const seen = await probe.flush();
      expect(seen.cycles).toEqual([]);
      expect(seen.pauses.length).toBeGreaterThanOrEqual(2);
      expect(seen.pauses.every((pause) => pause.stoppingNs === null)).toBe(true);
    });

    it('tells a cycle whose facts it cannot read as lost', async () => {
      await using churn = new Churn(binary);
      await using probe = await startProbe({ path: probePath });
      // There AX is a small number: no address of a gcController.
      const astray = attachPoints(binary, { cycleEnd: 'runtime.stopTheWorldWithSema' });
      await probe.attach({ ...requestFor(churn), points: astray });
      await probe.watch(churn.pid, 'churn');
      await churn.ask('gc');
      const seen = await probe.flush();
      expect(seen.cycles).toEqual([]);
      expect(seen.lost).toBeGreaterThan(0);
      expect(seen.pauses.length).toBeGreaterThanOrEqual(2);
    });

    it('says which process ended, with what it did before', async () => {
      await using churn = new Churn(binary);
      await using probe = await watching(churn);
      await churn.ask('start');
      await expectWorking(churn);
      churn.kill();
      await churn.exited;
      await sleep(200);
      const seen = await probe.flush();
      expect(seen.gone).toEqual([churn.pid]);
      expect(seen.pauses.length).toBeGreaterThan(2);
      expect(assistsOnly(seen.histograms)).toHaveLength(1);
      expect(await codeOf(probe.unwatch(churn.pid))).toBe('NOT_WATCHED');
      expect((await probe.flush()).histograms).toEqual([]);
    });
  });

  describe('triggers of memory pressure', () => {
    const root = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((each) => existsSync(`${each}/cgroup.procs`));
    const folder = `${root}/robotgc-test-trigger-${process.pid}`;
    const request = (id: string, windowUs: number, file = `${folder}/memory.pressure`): TriggerRequest => ({
      id,
      file,
      line: 'some',
      stallUs: 1000,
      windowUs,
    });
    const capEff = /^CapEff:\t([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    const capable = (BigInt(`0x${capEff}`) >> 24n) % 2n === 1n;
    beforeAll(() => mkdirSync(folder));
    afterAll(() => rmdirSync(folder));

    it('are granted as the kernel grants them', async () => {
      await using probe = await startProbe({ path: probePath });
      expect(await codeOf(probe.setTrigger(request('slow', 2_000_000)))).toBe('none');
      expect(await codeOf(probe.setTrigger(request('fast', 1_000_000)))).toBe(capable ? 'none' : 'TRIGGER_REFUSED');
      expect(await codeOf(probe.setTrigger(request('slow', 2_000_000)))).toBe('ALREADY_ATTACHED');
      await probe.clearTrigger('slow');
      expect(await codeOf(probe.clearTrigger('slow'))).toBe('NOT_WATCHED');
      expect(await codeOf(probe.setTrigger(request('slow', 2_000_000)))).toBe('none');
    });

    it('are written to nothing but a pressure file of a cgroup', async () => {
      await using probe = await startProbe({ path: probePath });
      const file = join(temporaryFolder('no-cgroup'), 'memory.pressure');
      writeFileSync(file, 'untouched');
      expect(await codeOf(probe.setTrigger(request('a', 2_000_000, file)))).toBe('BAD_COMMAND');
      expect(await codeOf(probe.setTrigger(request('a', 2_000_000, `${folder}/cgroup.procs`)))).toBe('BAD_COMMAND');
      expect(await codeOf(probe.setTrigger(request('a', 2_000_000, `${folder}/gone/memory.pressure`)))).toBe(
        'NO_SUCH_FILE',
      );
      expect(readFileSync(file, 'utf8')).toBe('untouched');
    });

    it('tell of pressure, again and again while it lasts', async () => {
      const limited = isHybrid ? folder.replace('/unified/', '/memory/') : folder;
      if (isHybrid) mkdirSync(limited);
      else writeFileSync(`${root}/cgroup.subtree_control`, '+memory');
      writeFileSync(`${limited}/${isHybrid ? 'memory.limit_in_bytes' : 'memory.max'}`, String(64 << 20));
      {
        await using child = await Thrasher.start(`/var/tmp/robotgc-test-trigger-${process.pid}`);
        for (const each of new Set([folder, limited])) writeFileSync(`${each}/cgroup.procs`, String(child.pid));
        await using probe = await startProbe({ path: probePath });
        const told: TriggerEvent[] = [];
        probe.listenToTriggers((event) => told.push(event));
        await probe.setTrigger(request('some', 2_000_000));
        child.begin();
        await expect.poll(() => told.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
        expect(told).toEqual(told.map(() => ({ type: 'pressure', id: 'some', atNs: expect.any(Number) })));
      }
      if (isHybrid) rmdirSync(limited);
    });

    it('end with their group, and say so', async () => {
      const brief = `${folder}/brief`;
      mkdirSync(brief);
      await using probe = await startProbe({ path: probePath });
      const told: TriggerEvent[] = [];
      probe.listenToTriggers((event) => told.push(event));
      await probe.setTrigger(request('brief', 2_000_000, `${brief}/memory.pressure`));
      rmdirSync(brief);
      await expect.poll(() => told).toEqual([{ type: 'pressureGone', id: 'brief' }]);
    });
  });

  describe('in a pid namespace of its own', () => {
    const within = (script: string): Promise<ProbeClient> =>
      startProbe({
        path: 'unshare',
        args: ['--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', `${script} & exec '${probePath}'`],
      });

    it('knows processes by the pids of that namespace', async () => {
      await using probe = await within(`'${binary}' -gc-every 20ms`);
      await probe.attach({ id: 'churn', file: binary, points, layout: goLayout });
      await probe.watch(2, 'churn');
      const pids: number[] = [];
      const collect = async (): Promise<number> => {
        const seen = await probe.flush();
        pids.push(...[...seen.pauses, ...seen.cycles].map(({ pid }) => pid));
        return pids.length;
      };
      await expect.poll(collect, { timeout: 20_000 }).toBeGreaterThan(5);
      expect(new Set(pids)).toEqual(new Set([2]));
    });

    it('refuses a process in a namespace further below, which it could not recognise', async () => {
      await using probe = await within(`unshare --pid --fork --kill-child '${binary}' -gc-every 20ms`);
      await probe.attach({ id: 'churn', file: binary, points });
      const search = ['-nf', `^${binary} -gc-every`];
      await expect.poll(() => spawnSync('pgrep', search).status, { timeout: 20_000 }).toBe(0);
      const nested = Number(execFileSync('pgrep', search, { encoding: 'utf8' }));
      const [, , middle] = /NSpid:\t(\d+)\t(\d+)/.exec(readFileSync(`/proc/${nested}/status`, 'utf8')) ?? [];
      await expect(probe.watch(Number(middle), 'churn')).rejects.toMatchObject({
        code: 'FOREIGN_PID_NAMESPACE',
        message: expect.stringContaining('hostPID'),
      });
    });
  });

  describe('how it ends', () => {
    it('within a second when stdin closes, by which everything is detached', async () => {
      await using churn = new Churn(binary);
      const probe = await watching(churn);
      await churn.ask('start');
      const from = performance.now();
      const exit = await probe.stop();
      expect(performance.now() - from).toBeLessThan(1_000);
      expect(exit).toMatchObject({ exitCode: 0, exitSignal: null, error: { code: 'PROBE_STOPPED' } });
      await expectWorking(churn);
      expect(await codeOf(probe.flush())).toBe('PROBE_STOPPED');
    });

    it('on SIGTERM, as well', async () => {
      await using churn = new Churn(binary);
      const probe = await watching(churn);
      process.kill(probe.processId, 'SIGTERM');
      expect(await probe.exited).toMatchObject({ exitCode: 0, error: { code: 'PROBE_EXITED' } });
    });

    it('when its parent is killed', async () => {
      const client = new URL('./index.ts', import.meta.url).href;
      const program = `const { startProbe } = await import(${JSON.stringify(client)});
        const probe = await startProbe({ path: ${JSON.stringify(probePath)} });
        console.log(probe.processId); setInterval(() => {}, 1000);`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', program]);
      const [line] = await once(createInterface({ input: parent.stdout }), 'line');
      const probePid = Number(line);
      expect(isRunning(probePid)).toBe(true);
      parent.kill('SIGKILL');
      await expect.poll(() => isRunning(probePid), { timeout: 1_000, interval: 20 }).toBe(false);
    });

    it('by SIGKILL without harm to the process under watch, in the midst of its work', async () => {
      await using churn = new Churn(binary);
      const probe = await watching(churn);
      await churn.ask('start');
      await expectWorking(churn);
      const pending = codeOf(
        probe
          .flush()
          .then(() => probe.flush())
          .then(() => probe.flush()),
      );
      process.kill(probe.processId, 'SIGKILL');
      const exit = await probe.exited;
      expect(exit).toMatchObject({ exitCode: null, exitSignal: 'SIGKILL', error: { code: 'PROBE_EXITED' } });
      expect(['PROBE_EXITED', 'none']).toContain(await pending);
      await expectWorking(churn);
      // And another one takes over.
      await using next = await watching(churn);
      expect(await pausesOfOneCycle(next, churn)).toBe(2);
    });

    it('when its owner aborts', async () => {
      await using churn = new Churn(binary);
      const abort = new AbortController();
      const probe = await watching(churn, { signal: abort.signal });
      abort.abort();
      expect(await probe.exited).toMatchObject({ exitCode: 0, error: { code: 'PROBE_STOPPED' } });
    });

    it('survives fifty starts and ends under load, and the process with it', async () => {
      await using churn = new Churn(binary);
      await churn.ask('start');
      for (let i = 0; i < 50; i++) {
        const probe = await watching(churn);
        if (i % 2 === 0) process.kill(probe.processId, 'SIGKILL');
        else await probe.stop();
        await probe.exited;
      }
      await expectWorking(churn);
      expect(churn.alive).toBe(true);
    });
  });

  describe('when nobody reads what it writes', () => {
    it('holds back, takes no memory, and goes on when it is read again', async () => {
      await using churn = new Churn(binary);
      const probe = spawn(probePath);
      const send = (command: object): boolean => probe.stdin.write(`${JSON.stringify(command)}\n`);
      send({ cmd: 'attach', ...requestFor(churn) });
      send({ cmd: 'watch', pid: churn.pid, id: 'churn' });
      await churn.ask('start');
      for (let seq = 0; seq < 20_000; seq++) send({ cmd: 'flush', seq });
      await sleep(1_500);
      expect(residentBytes(probe)).toBeLessThan(32 << 20);
      await churn.ask('stop');
      let flushed = 0;
      for await (const line of createInterface({ input: probe.stdout })) {
        const parsed = parseEventLine(line);
        expect(parsed.kind).toBe('event');
        if (parsed.kind !== 'event' || parsed.event.type !== 'flushed') continue;
        expect(parsed.event.seq).toBe(flushed);
        flushed += 1;
        if (flushed === 20_000) break;
      }
      probe.stdin.end();
      expect(await once(probe, 'exit')).toEqual([0, null]);
    });

    it('leaves all the same when stdin closes', async () => {
      const probe = spawn(probePath);
      for (let seq = 0; seq < 200_000; seq++) probe.stdin.write(`{"cmd":"ping","seq":${seq}}\n`);
      await sleep(300);
      probe.stdin.destroy();
      const exit = once(probe, 'exit');
      expect(await Promise.race([exit, delay(1_000, 'still there')])).toEqual([0, null]);
    });
  });

  describe('privileges', () => {
    const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    const onlyCaps = (...caps: string[]): string[] => [
      '--no-new-privs',
      '--inh-caps=-all',
      `--bounding-set=-all,${caps.map((cap) => `+${cap}`).join(',')}`,
    ];
    const readable = (): string => {
      const path = join(temporaryFolder('probe'), 'robotgc-probe');
      copyFileSync(probePath, path);
      chmodSync(path, 0o755);
      return path;
    };

    it('tells an unprivileged user what is missing, with exit code 3', async () => {
      const probe = spawn('setpriv', [...asNobody, readable()]);
      const [[line], [exitCode]] = await Promise.all([
        once(createInterface({ input: probe.stdout }), 'line'),
        once(probe, 'exit'),
      ]);
      const error: ErrorEvent = JSON.parse(line);
      expect(error).toMatchObject({ type: 'error', code: 'NO_PERMISSION' });
      expect(error.message).toContain('CAP_BPF');
      expect(exitCode).toBe(3);
      const started = startProbe({ path: 'setpriv', args: [...asNobody, readable()] });
      await expect(started).rejects.toMatchObject({ code: 'NO_PERMISSION', message: error.message });
    });

    it('needs no more than BPF, PERFMON and SYS_PTRACE, also for another user’s process', async () => {
      await using churn = new Churn('setpriv', {}, [...asNobody, binary]);
      await churn.ask('report');
      await using probe = await watching(churn, {
        path: 'setpriv',
        args: [...onlyCaps('bpf', 'perfmon', 'sys_ptrace'), probePath],
      });
      expect(probe.ready.attach).toBe('uprobe_multi');
      expect(await pausesOfOneCycle(probe, churn)).toBe(2);
    });

    it.each([
      ['without BPF and PERFMON', ['sys_ptrace']],
      ['without PERFMON', ['bpf', 'sys_ptrace']],
    ])('says so %s', async (_, caps) => {
      const unprivileged = startProbe({ path: 'setpriv', args: [...onlyCaps(...caps), probePath] });
      await expect(unprivileged).rejects.toMatchObject({ code: 'NO_PERMISSION' });
    });

    it('refuses only the one file that it may not reach', async () => {
      await using churn = new Churn('setpriv', {}, [...asNobody, binary]);
      await churn.ask('report');
      await using probe = await startProbe({ path: 'setpriv', args: [...onlyCaps('bpf', 'perfmon'), probePath] });
      await expect(probe.attach(requestFor(churn))).rejects.toMatchObject({
        code: 'NO_PERMISSION',
        message: expect.stringContaining('CAP_SYS_PTRACE'),
      });
      await probe.ping();
    });

    it('says that perf events need more', async () => {
      await using churn = new Churn(binary);
      const args = [...onlyCaps('bpf', 'perfmon', 'sys_ptrace'), probePath, '--attach', 'perf'];
      await using probe = await startProbe({ path: 'setpriv', args });
      await expect(probe.attach(requestFor(churn))).rejects.toMatchObject({
        code: 'NO_PERMISSION',
        message: expect.stringContaining('CAP_SYS_ADMIN'),
      });
    });
  });

  it('prints its version and its help, and knows wrong usage', () => {
    const run = (...args: string[]): string => execFileSync(probePath, args, { encoding: 'utf8', stdio: 'pipe' });
    expect(run('--version')).toMatch(/^robotgc-probe \d+\.\d+\.\d+\n$/);
    expect(run('--help')).toContain('Exit codes: 0');
    expect(() => run('--attach', 'magic')).toThrow(expect.objectContaining({ status: 2 }));
    expect(() => run('surplus')).toThrow(expect.objectContaining({ status: 2 }));
  });
});

/** A zombie that its new parent has not collected yet is not running. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function residentBytes(child: ChildProcessWithoutNullStreams): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) * 1024;
}
