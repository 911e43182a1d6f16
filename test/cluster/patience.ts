/** Times after which a start is given up, longer where an emulated processor does the work: ROBOTGC_CLUSTER_PATIENCE is the factor. */
export function patient(ms: number, env: NodeJS.ProcessEnv = process.env): number {
  const factor = Number(env.ROBOTGC_CLUSTER_PATIENCE ?? 1);
  return ms * (Number.isFinite(factor) && factor >= 1 ? factor : 1);
}
