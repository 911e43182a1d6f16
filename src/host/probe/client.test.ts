/** The client against peers that misbehave: shell scripts in place of the probe. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ProbeClient, type ProbeOptions, startProbe } from './client.ts';
import { locateProbe } from './locate.ts';
import { removeTemporaryFolders, temporaryFolder } from './testing/ground.ts';

afterAll(removeTemporaryFolders);

const ready = `echo '{"type":"ready","protocol":3,"version":"0","attach":"perf","kernel":"6","missing":[]}'`;

function start(script: string, options: ProbeOptions = {}): Promise<ProbeClient> {
  return startProbe({ path: '/bin/sh', args: ['-c', script], commandTimeoutMs: 500, ...options });
}

describe('starting', () => {
  it('resolves with what the probe says it can do', async () => {
    await using probe = await start(`${ready}; cat >/dev/null`);
    expect(probe.ready).toMatchObject({ attach: 'perf', kernel: '6' });
  });

  it.each([
    ['a probe that is not there', { path: '/nowhere/robotgc-probe', args: [] }, 'PROBE_NOT_STARTED'],
    ['one that ends at once', { args: ['-c', 'exit 1'] }, 'PROBE_EXITED'],
    [
      'one that says why it cannot work',
      { args: ['-c', `echo '{"type":"error","code":"NO_BPF","message":"no"}'; exit 3`] },
      'NO_BPF',
    ],
    ['one that says nothing', { args: ['-c', 'cat'], startTimeoutMs: 100 }, 'PROBE_TIMEOUT'],
    [
      'one of another release',
      { args: ['-c', `${ready.replace('"protocol":3', '"protocol":1')}; cat`] },
      'PROBE_PROTOCOL',
    ],
  ])('rejects with %s', async (_, options, code) => {
    await expect(start('', options)).rejects.toMatchObject({ name: 'ProbeError', code });
  });

  it('does not begin when it is aborted already', async () => {
    await expect(start(ready, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  });

  it('ends the wait for readiness when it is aborted', async () => {
    const abort = new AbortController();
    const started = start('cat', { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(started).rejects.toMatchObject({ code: 'PROBE_STOPPED' });
  });
});

describe('a probe that goes wrong', () => {
  it('ends: what waits is rejected, and `exited` tells how', async () => {
    const probe = await start(`${ready}; read line; kill -9 $$`);
    await expect(probe.ping()).rejects.toMatchObject({ code: 'PROBE_EXITED' });
    expect(await probe.exited).toMatchObject({
      exitCode: null,
      exitSignal: 'SIGKILL',
      error: { code: 'PROBE_EXITED' },
    });
    await expect(probe.flush()).rejects.toMatchObject({ code: 'PROBE_EXITED' });
  });

  it('does not answer', async () => {
    await using probe = await start(`${ready}; cat >/dev/null`, { commandTimeoutMs: 50 });
    await expect(probe.flush()).rejects.toMatchObject({ code: 'PROBE_TIMEOUT' });
  });

  it('answers behind many other lines: whatever comes shows that it is at work', async () => {
    const others = `for i in 1 2 3 4 5 6 7 8 9 10; do echo '{"type":"gone","pid":'$i'}'; sleep 0.1; done`;
    await using probe = await start(
      `${ready}; read line; ${others}; echo '{"type":"flushed","seq":1,"atNs":1}'; cat >/dev/null`,
      { commandTimeoutMs: 700 },
    );
    expect((await probe.flush()).gone).toHaveLength(10);
  });

  it('never answers, whatever else it says without end', async () => {
    const chatter = `while :; do echo '{"type":"gone","pid":1}'; sleep 0.02; done`;
    await using probe = await start(`${ready}; read line; ${chatter}`, { commandTimeoutMs: 100 });
    const asked = performance.now();
    await expect(probe.flush()).rejects.toMatchObject({ code: 'PROBE_TIMEOUT' });
    expect(performance.now() - asked).toBeGreaterThan(450);
  });

  it('does not end when it is told to, and is killed', { timeout: 10_000 }, async () => {
    const probe = await start(`trap '' TERM; ${ready}; exec 0</dev/null; while :; do sleep 1; done`);
    expect(await probe.stop()).toMatchObject({ exitSignal: 'SIGKILL', error: { code: 'PROBE_STOPPED' } });
  });

  it('writes nonsense between its events: counted, and passed over', async () => {
    const nonsense = `echo; echo '{"type":"pong"}'; echo '{"type":"future"}'; head -c 100000 /dev/zero | tr '\\0' x; echo`;
    await using probe = await start(`${ready}; read line; ${nonsense}; echo '{"type":"pong","seq":1}'; cat >/dev/null`);
    await probe.ping();
    expect(probe.counters).toEqual({ unknownEvents: 1, invalidLines: 3 });
  });

  it('reports an error that answers no command', async () => {
    const seen: string[] = [];
    const error = `echo '{"type":"error","code":"INTERNAL","message":"out of luck"}'`;
    await using probe = await start(`${ready}; read line; ${error}; echo '{"type":"pong","seq":1}'; cat >/dev/null`, {
      onError: ({ code }) => seen.push(code),
    });
    await probe.ping();
    expect(seen).toEqual(['INTERNAL']);
  });

  it('writes for people: handed on line by line', async () => {
    const log: string[] = [];
    const probe = await start(`echo one >&2; echo two >&2; ${ready}`, { onLog: (line) => log.push(line) });
    await probe.exited;
    expect(log).toEqual(['one', 'two']);
  });
});

describe('flush', () => {
  it('gives each event to exactly one flush: the next that ends', async () => {
    const pause = (startNs: number): string =>
      `echo '{"type":"pause","pid":1,"tid":1,"reason":1,"startNs":${startNs},"stoppingNs":1,"totalNs":2}'`;
    const flushed = (seq: number): string => `echo '{"type":"flushed","seq":${seq},"atNs":${seq}00}'`;
    const script = [
      ready,
      'read a',
      pause(1),
      `echo '{"type":"lost","count":2}'`,
      `echo '{"type":"gone","pid":9}'`,
      flushed(1),
      pause(2),
      'read b',
      pause(3),
      flushed(2),
      'cat >/dev/null',
    ].join(';');
    await using probe = await start(script);
    const first = await probe.flush();
    expect(first).toMatchObject({ lost: 2, gone: [9], atNs: 100, cycles: [], assists: [], histograms: [] });
    expect(first.pauses.map(({ startNs }) => startNs)).toEqual([1]);
    const second = await probe.flush();
    expect(second).toMatchObject({ lost: 0, gone: [], atNs: 200 });
    expect(second.pauses.map(({ startNs }) => startNs)).toEqual([2, 3]);
  });

  it('bounds what nobody takes, and says how much that was', { timeout: 20_000 }, async () => {
    const line = '{"type":"gone","pid":9}';
    const script = `${ready}; yes '${line}' | head -n 200500; read a; echo '{"type":"flushed","seq":1,"atNs":1}'; cat >/dev/null`;
    await using probe = await start(script, { commandTimeoutMs: 15_000 });
    const flush = await probe.flush();
    expect(flush.gone).toHaveLength(200_000);
    expect(flush.lost).toBe(500);
  });
});

describe('locateProbe', () => {
  it('takes the one that is named, or none', () => {
    const path = join(temporaryFolder('locate'), 'robotgc-probe');
    expect(() => locateProbe({ ROBOTGC_PROBE: path })).toThrow(expect.objectContaining({ code: 'PROBE_NOT_FOUND' }));
    writeFileSync(path, '');
    expect(() => locateProbe({ ROBOTGC_PROBE: path })).toThrow(path);
    chmodSync(path, 0o755);
    expect(locateProbe({ ROBOTGC_PROBE: path })).toBe(path);
  });
});
