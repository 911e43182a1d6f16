import { describe, expect, it } from 'vitest';
import { type ProbeClient, ProbeError } from '../../host/probe/index.ts';
import { ProbeSupervisor } from './probe-supervisor.ts';

/** Attempts that fail with these codes, one after the other. */
async function afterStarts(codes: readonly string[]): Promise<{ supervisor: ProbeSupervisor; told: string[] }> {
  let nowMs = 0;
  const told: string[] = [];
  const left = [...codes];
  const supervisor = new ProbeSupervisor({
    start: async (): Promise<ProbeClient> => {
      const code = left.shift() ?? 'INTERNAL';
      throw new ProbeError(code, `failed with ${code}`);
    },
    nowMs: () => nowMs,
    onDown: ({ code }) => told.push(code),
  });
  for (const _ of codes) {
    nowMs += 60_000;
    expect(await supervisor.current()).toBeNull();
  }
  return { supervisor, told };
}

describe('what keeps a probe from working', () => {
  it.each([
    { codes: ['NO_PERMISSION'], obstacle: 'NO_PERMISSION' },
    { codes: ['NO_BPF'], obstacle: 'NO_BPF' },
    { codes: ['PROBE_NOT_FOUND'], obstacle: 'PROBE_NOT_FOUND' },
    { codes: ['PROBE_EXITED'], obstacle: undefined },
    { codes: ['PROBE_TIMEOUT', 'PROBE_EXITED'], obstacle: undefined },
    { codes: ['PROBE_EXITED', 'PROBE_EXITED', 'PROBE_EXITED'], obstacle: 'PROBE_EXITED' },
    { codes: ['NO_PERMISSION', 'PROBE_TIMEOUT'], obstacle: 'PROBE_TIMEOUT' },
  ])('after $codes is $obstacle', async ({ codes, obstacle }) => {
    const { supervisor } = await afterStarts(codes);
    expect(supervisor.obstacle?.code).toBe(obstacle);
    expect(supervisor.lastError?.code).toBe(codes.at(-1));
  });

  it('is told once while it stays the same', async () => {
    expect((await afterStarts(['NO_BPF', 'NO_BPF', 'NO_BPF', 'NO_PERMISSION'])).told).toEqual([
      'NO_BPF',
      'NO_PERMISSION',
    ]);
    expect((await afterStarts(['PROBE_EXITED', 'PROBE_EXITED'])).told).toEqual(['PROBE_EXITED', 'PROBE_EXITED']);
  });
});
