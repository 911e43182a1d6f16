/** The signals of the robot as the agent publishes them for Prometheus, read through the API server. */
import type { ReachableCluster } from '../cluster/cluster.ts';
import { PRODUCT_NAMESPACE } from './deploy.ts';

export interface LiveSignals {
  readonly pod: string;
  readonly gcCpuShare: number;
  readonly gcPauseP99Ms: number;
  readonly gcStallP99Ms: number;
  readonly gcRatePerSecond: number;
  readonly heapLiveMiB: number;
  readonly memoryPressureSome: number;
  readonly gogc: number;
  readonly activeRobots: number;
}

export async function agentPod(cluster: ReachableCluster): Promise<string> {
  const selector = 'app.kubernetes.io/component=agent';
  const { stdout } = await cluster.kubectl([
    'get',
    'pods',
    `--namespace=${PRODUCT_NAMESPACE}`,
    `--selector=${selector}`,
    '--output=jsonpath={.items[0].metadata.name}',
  ]);
  return stdout.trim();
}

export async function readSignals(cluster: ReachableCluster, agent: string): Promise<LiveSignals[]> {
  const path = `/api/v1/namespaces/${PRODUCT_NAMESPACE}/pods/${agent}:8080/proxy/metrics`;
  const { stdout } = await cluster.kubectl(['get', '--raw', path]);
  return parseSignals(stdout);
}

export function parseSignals(exposition: string): LiveSignals[] {
  const byPod = new Map<string, Map<string, number>>();
  for (const [, name = '', labels = '', value] of exposition.matchAll(/^(robotgc_container_\w+)\{(.*)\} (\S+)$/gm)) {
    const pod = /\bpod="([^"]*)"/.exec(labels)?.[1] ?? '';
    const metrics = byPod.get(pod) ?? new Map<string, number>();
    byPod.set(pod, metrics.set(name.replace('robotgc_container_', ''), Number(value)));
  }
  return Array.from(byPod, ([pod, metrics]) => {
    const of = (name: string): number => metrics.get(name) ?? 0;
    return {
      pod,
      gcCpuShare: of('gc_cpu_share_ratio'),
      gcPauseP99Ms: of('gc_pause_p99_seconds') * 1000,
      gcStallP99Ms: of('gc_stall_p99_seconds') * 1000,
      gcRatePerSecond: of('gc_cycles_per_second'),
      heapLiveMiB: of('heap_live_bytes') / 2 ** 20,
      memoryPressureSome: of('memory_pressure_some_ratio'),
      gogc: of('gogc_percent'),
      activeRobots: of('active_robots'),
    };
  });
}

export function describeSignals(signals: LiveSignals): string {
  return [
    signals.pod.padEnd(26),
    `GC CPU ${(signals.gcCpuShare * 100).toFixed(1).padStart(5)} %`,
    `pause P99 ${signals.gcPauseP99Ms.toFixed(2).padStart(6)} ms`,
    `stall P99 ${signals.gcStallP99Ms.toFixed(2).padStart(6)} ms`,
    `${signals.gcRatePerSecond.toFixed(1).padStart(5)} GC/s`,
    `live ${signals.heapLiveMiB.toFixed(0)} MiB`,
    `GOGC ${signals.gogc}`,
    `mem pressure ${(signals.memoryPressureSome * 100).toFixed(1)} %`,
    `${signals.activeRobots} robots`,
  ].join('  ');
}
