/** One process of this machine as a target: what `watch` and `capture` follow where there is no Kubernetes. */
import { hostname } from 'node:os';
import type { PolicySpec } from '../../api/index.ts';
import type { Proc } from '../../host/index.ts';
import { metricSource } from './metric-source.ts';
import type { Activity, ActivitySource, Population, Target } from './types.ts';

/** @param activity where the policy says that active robots are counted; its port is looked for on this machine's localhost */
export function localTarget(pid: number, comm: string, activity?: PolicySpec['activity']): Target {
  const key = `pid-${pid}`;
  return {
    key,
    pod: { namespace: 'local', name: hostname(), uid: key },
    container: comm,
    containerId: key,
    activity: localActivity(activity),
  };
}

function localActivity(activity: PolicySpec['activity']): ActivitySource | null {
  if (!activity) return null;
  const { podMetric, tcpConnections } = activity;
  if (podMetric) return metricSource('127.0.0.1', podMetric);
  if (tcpConnections) return { kind: 'connections', port: tcpConnections.port };
  return { kind: 'given', activity: noAnnotations };
}

const noAnnotations: Activity = {
  kind: 'unknown',
  reason: 'no-annotations',
  message: 'a process outside Kubernetes has no annotations: write activity.podMetric or activity.tcpConnections',
};

/** The process alone, while exactly this one (not another under its number) lives. */
export function localPopulation(proc: Proc, pid: number, startTicks: number): Population {
  return proc.isAlive({ pid, startTicks })
    ? { pids: [pid], cgroups: proc.cgroups(pid) ?? null }
    : { pids: [], cgroups: null };
}
