/** What a team would write for the robots of the shapes: all of the product switched on, twice the memory allowed. */
export const FORMULA = { base: 100, baseline: 10_000 };

export function policySpec(memoryLimitBytes: number) {
  return {
    selector: { matchLabels: { app: 'dispatch' } },
    sla: { latencyP99: '200ms' },
    activity: { podMetric: { port: 9090, name: 'robot_active_sessions' } },
    tuning: { continuous: true, formula: FORMULA, memoryLimit: { max: String(2 * memoryLimitBytes), holdHeap: true } },
    actions: { mode: 'Auto', apply: ['Live', 'Resize', 'Restart'] },
  };
}
