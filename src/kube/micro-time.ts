/**
 * `MicroTime` of the Kubernetes API: RFC 3339 with exactly six fractional digits. The API server refuses the three digits of
 * `Date.toISOString()` for `Lease` and `events.k8s.io`.
 */
export function microTime(wallMs: number): string {
  const wholeMs = Math.floor(wallMs);
  const micros = Math.floor((wallMs - wholeMs) * 1000);
  return `${new Date(wholeMs).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}
