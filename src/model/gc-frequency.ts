/**
 * What "acceptable GC frequency" can mean under the Poisson model (collections start independently of events, at rate λ).
 * Derivation and the history of the often-quoted 276.31 per hour: `docs/sla-model.md`.
 */

/**
 * `λ = (1/T) · ln(1/(1 − p)) · 3600`, evaluated as it stands: the hourly rate at which an interval of T seconds holds **at least
 * one** collection with probability p, from P(N ≥ 1) = 1 − e^(−λT) = p. It grows with p, so it bounds nothing that users feel;
 * T = 0.030, p = 0.99 gives 552 620 per hour.
 *
 * @param intervalSeconds T, positive
 * @param probability p, 0 ≤ p < 1
 */
export function ratePerHourOfMeetingGc(intervalSeconds: number, probability: number): number {
  return (Math.log(1 / (1 - probability)) / intervalSeconds) * 3600;
}

/**
 * `λ = (1/T) · ln(1/p) · 3600`: the highest hourly rate at which a share p of intervals of T seconds holds **none**, from
 * P(N = 0) = e^(−λT) ≥ p.
 *
 * With T = latencyP99 this bounds stalls above the limit: an event is hit by a stall that begins while the event is in flight
 * or is under way when it arrives; flight (at most latencyP99 − limit) and stall (the limit) together expose it for latencyP99.
 *
 * @param intervalSeconds T, positive
 * @param probability p, 0 < p ≤ 1
 */
export function ratePerHourOfSparing(intervalSeconds: number, probability: number): number {
  return (Math.log(1 / probability) / intervalSeconds) * 3600;
}
