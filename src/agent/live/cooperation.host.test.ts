/** The snippet of docs/cooperation.md in a real program: it follows its file, and the agent only looks. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeCooperating } from '../../../test/support/cooperating.ts';
import { until } from '../../../test/support/until.ts';
import type { LiveState } from '../../api/index.ts';
import { openProc } from '../../host/index.ts';
import { missingGround, temporaryFolder } from '../../host/probe/testing/ground.ts';
import { identityOf } from '../../host/testing/go-process.ts';
import { silentLog } from '../../kube/index.ts';
import { watchlist } from '../containers/watchlist.ts';
import { LineProgram } from '../testing/line-program.ts';
import { containerIdOf, pod, policy } from '../testing/objects.ts';
import { LiveController } from './controller.ts';
import { LiveLedger } from './ledger.ts';

const missing = missingGround();
const proc = openProc();
const containerId = containerIdOf('a');
const Report = z.object({ gogc: z.int(), memoryLimitBytes: z.int() });

/** Collects all the time, and tells its runtime's own metrics when it is asked. */
const main = `package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/metrics"
	"time"

	"cooperating/follow"
)

var sink []byte

func main() {
	go follow.File(os.Args[1], "robot", 10*time.Millisecond)
	go func() {
		for ; ; time.Sleep(time.Millisecond) {
			sink = make([]byte, 1<<20)
		}
	}()
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		samples := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
		metrics.Read(samples)
		limit := min(samples[1].Value.Uint64(), 1<<52)
		fmt.Printf("{\\"gogc\\":%d,\\"memoryLimitBytes\\":%d}\\n", samples[0].Value.Uint64(), limit)
	}
}
`;

describe.skipIf(missing !== '')(`a program that follows its file${missing}`, () => {
  let binary: string;
  let folder: string;
  let program: LineProgram;
  let controller: LiveController;
  /** The pod's annotation, as agent and file have it. */
  let annotation: string | undefined;

  beforeAll(async () => {
    const module = temporaryFolder('cooperating');
    await writeCooperating(module, main);
    binary = join(module, 'cooperating');
    expect(execFileSync('gofmt', ['-l', '.'], { cwd: module, encoding: 'utf8' })).toBe('');
    execFileSync('go', ['vet', './...'], { cwd: module, stdio: 'pipe' });
    execFileSync('go', ['build', '-p', '2', '-o', binary, '.'], { cwd: module, stdio: 'pipe' });
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'robotgc-cooperation-'));
    annotation = undefined;
    await project();
    program = new LineProgram(binary, [join(folder, 'desired')], { GOGC: '70', GOMEMLIMIT: 'off' });
    await program.ask('report');
    const following = policy('dispatch', { actions: { mode: 'Auto', apply: ['Live'], liveBy: 'Program' } });
    controller = new LiveController({
      proc,
      ledger: await LiveLedger.open(join(folder, 'live.json'), 'boot-1'),
      // An agent that may not write.
      enabled: false,
      selected: () => {
        const annotations = annotation === undefined ? {} : { 'robotgc.dev/desired': annotation };
        return watchlist([following], [pod('dispatch-a', { metadata: { annotations } })]).selected.get(containerId);
      },
      processes: () => [identityOf(proc, program.pid)],
      onChange: () => {},
      log: silentLog,
    });
  });
  afterEach(async () => {
    await program[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** As the kubelet does, in one piece; what is not there is an empty file. */
  async function project(): Promise<void> {
    await writeFile(join(folder, 'new'), annotation ?? '');
    await rename(join(folder, 'new'), join(folder, 'desired'));
  }

  function desire(settings: object): void {
    annotation = JSON.stringify({ robot: { policy: 'policy-dispatch', ...settings } });
  }

  const { signal } = new AbortController();
  async function look(): Promise<LiveState | undefined> {
    await controller.reconcile(containerId, signal);
    return controller.states.get(containerId);
  }
  const untilState = (state: LiveState['state']) =>
    until(`the agent says ${state}`, async () => (await look())?.state === state, 30_000, 10);
  const report = async () => Report.parse(JSON.parse(await program.ask('report')));

  it('sets what it says, which the agent sees in the collector’s books and has not written', async () => {
    desire({ GOGC: { from: '70', to: '200', underBytes: 2 ** 28 }, GOMEMLIMIT: { from: null, to: String(2 ** 28) } });
    // The annotation is there, and the file not yet.
    expect(await look()).toMatchObject({
      ...{ state: 'Pending', reason: 'AwaitsProgram', gogc: 70 },
      message: expect.stringMatching(/GOGC=70, GOMEMLIMIT=none: the program has not taken up/),
    });
    expect(await report()).toMatchObject({ gogc: 70 });
    await project();
    await untilState('Applied');
    expect(controller.states.get(containerId)).toMatchObject({ gogc: 200, memoryLimitBytes: 2 ** 28 });
    expect(await report()).toEqual({ gogc: 200, memoryLimitBytes: 2 ** 28 });
  });

  it('goes back to its own when the wish is gone, which the agent waits for', async () => {
    desire({ GOGC: { from: '70', to: '200' } });
    await project();
    await untilState('Applied');
    annotation = undefined;
    expect(await look()).toMatchObject({ state: 'Pending', gogc: 200 });
    await project();
    await untilState('Reverted');
    expect(await report()).toEqual({ gogc: 70, memoryLimitBytes: 2 ** 52 });
  });

  it('passes over what is not for it and what it cannot read', async () => {
    annotation = JSON.stringify({ proxy: { policy: 'policy-dispatch', GOGC: { from: '100', to: '300' } } });
    await project();
    desire({ GOGC: { from: '70', to: '150', later: true }, also: {} });
    await project();
    await until('GOGC is 150', async () => (await report()).gogc === 150, 30_000, 10);
    annotation = '…';
    await project();
    await until('GOGC is its own', async () => (await report()).gogc === 70, 30_000, 10);
  });

  it('is told as out of bounds where the annotation is beyond the policy', async () => {
    desire({ GOGC: { from: '70', to: '401' } });
    expect(await look()).toMatchObject({ state: 'Refused', reason: 'OutOfBounds' });
  });
});
