import type { RobotShape } from './loads.ts';

/** How late an event may be. */
export const LATENCY_NS = 200e6;

/** As that of the simulator (test/bench/control/policy.ts), all of the product switched on, with times that fit shapes of two minutes: what waits minutes there waits seconds here. */
export function shapePolicy(name: string, namespace: string, { memoryLimitBytes, baseline }: RobotShape) {
  return {
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCPolicy',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      container: 'robot',
      sla: { latencyP99: `${LATENCY_NS / 1e6}ms` },
      activity: { podMetric: { port: 9090, name: 'robot_active_sessions' } },
      tuning: {
        continuous: true,
        formula: { base: 100, baseline },
        memoryLimit: { max: String(2 * memoryLimitBytes), holdHeap: true, lowerAfter: '60s' },
      },
      actions: {
        mode: 'Auto',
        apply: ['Live', 'Resize', 'Restart'],
        // What stands in a manifest belongs to whoever applied it.
        fieldConflicts: 'TakeOver',
        cooldown: '5s',
        budget: { actions: 100 },
        verify: { after: '2s', window: '10s' },
      },
      capture: { profiles: ['heap'], duration: '6s' },
    },
  };
}
