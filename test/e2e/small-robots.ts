/** Robots of the other suites: in a namespace of their own, and small, since they live and are healed at the same time. */
import type { HealingCase } from '../effect/robots.ts';

export const FLEET_NAMESPACE = 'fleet';

/** State machines: some 16 KB allocated for each transition, as live as there are sessions. */
export function robot({ sessions, transitions }: { sessions: number; transitions: number }): object {
  const load = ['-mode=state', `-sessions=${sessions}`, `-transitions-per-second=${transitions}`];
  return { args: [...load, '-pprof=:6060', '-drain=1s'] };
}

type Own = 'name' | 'apply';

/** GOGC=10: eight cycles a second, of which GOGC=100 leaves one. Cycles are counted, so it matters little how busy the machine is. */
export function tooOften(own: Pick<HealingCase, Own> & Partial<HealingCase>): HealingCase {
  return {
    namespace: FLEET_NAMESPACE,
    env: { GOGC: '10' },
    memory: '64Mi',
    cpu: '20m',
    thresholds: { gcRate: 3 },
    memoryLimit: {},
    container: robot({ sessions: 300, transitions: 250 }),
    ...own,
  };
}

/** Held back by GOMEMLIMIT it uses some 60 % of its memory limit, and under one of half as much again some 40 %. */
export function tooTight(own: Pick<HealingCase, Own> & Partial<HealingCase>): HealingCase {
  return {
    namespace: FLEET_NAMESPACE,
    env: { GOGC: '400', GOMEMLIMIT: '36MiB' },
    memory: '48Mi',
    cpu: '20m',
    thresholds: { memoryShareOfLimit: '50%' },
    memoryLimit: { max: '72Mi', step: '50%', goMemLimit: '75%' },
    container: robot({ sessions: 1000, transitions: 1200 }),
    ...own,
  };
}
