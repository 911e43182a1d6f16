/** A process that ends between two looks at it, on a real Go program. */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openProc } from '../../host/index.ts';
import { buildChurn, Churn } from '../../host/probe/testing/churn.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../host/probe/testing/ground.ts';
import { Attachments, PlanCache } from './attachments.ts';
import { begin } from './progress.ts';
import { recordingProbe } from './testing/recording-probe.ts';

afterAll(removeTemporaryFolders);

test('that ends as the probe has begun to watch it is let go of: nothing stays attached', async () => {
  const file = join(temporaryFolder('progress'), 'robot');
  copyFileSync(buildChurn(), file);
  await using churn = new Churn(file);
  await churn.ask('report');
  const proc = openProc();
  const identity = proc.identity(churn.pid);
  const executable = proc.executable(churn.pid);
  if (!identity || !executable) throw new Error('the program does not run');
  const plans = new PlanCache();
  plans.planFor(executable);
  const probe = recordingProbe();
  const attachments = new Attachments(probe);
  // Its files under /proc go with it; what was read before is remembered.
  const ended = { ...executable, path: file };
  rmSync(file);
  const without = { reason: 'NO_BPF', message: 'not asked for' };
  const progress = await begin(identity, ended, { proc, plans, attachments, without, nowMs: 0 });
  expect(progress).toMatchObject({ kind: 'watched', books: { reason: 'unreadable' } });
  expect(probe.attached.size).toBe(1);
  await attachments.unwatch(churn.pid, ended, true);
  expect(probe.attached.size).toBe(0);
});
