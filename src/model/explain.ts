/** Every number a policy leads to, with its formula and inputs: what `robotgc explain` and a policy's status show. */
import { durationMs, type PolicySpec, type SignalUnit } from '../api/index.ts';
import { EMERGENCY_COST_SECONDS } from './availability.ts';
import { explainFurther } from './explain-further.ts';
import { ratePerHourOfMeetingGc, ratePerHourOfSparing } from './gc-frequency.ts';
import { deriveThresholds, STALL_RESERVE_NS } from './thresholds.ts';

export interface ThresholdRow {
  readonly signal: string;
  readonly limit: number;
  readonly unit: SignalUnit | '1/h';
  readonly formula: string;
  readonly inputs: Readonly<Record<string, string | number>>;
  /** False for rows that inform: no breach is ever judged by them. */
  readonly enforced: boolean;
  /** Assumptions and what the number does and does not bound. */
  readonly note?: string;
}

/** Rows in the order in which people ask: latency, throughput, availability, memory, what they set themselves, evidence, frequency. */
export function explainThresholds(spec: PolicySpec): ThresholdRow[] {
  const { sla, thresholds: own } = spec;
  const t = deriveThresholds(spec);
  const latencySeconds = durationMs(sla.latencyP99) / 1000;
  const limitSeconds = t.gcStallP99Ns / 1e9;
  const breach = `${t.breach.windows} of ${t.breach.of} one-second windows`;
  const rows: ThresholdRow[] = [
    {
      signal: 'gcStallP99',
      limit: t.gcStallP99Ns,
      unit: 'ns',
      enforced: true,
      ...(own.gcStallP99 === undefined
        ? {
            formula: 'latencyP99 × gcShareOfLatency',
            inputs: { latencyP99: sla.latencyP99, gcShareOfLatency: sla.gcShareOfLatency, breach },
          }
        : { formula: 'thresholds.gcStallP99 (override)', inputs: { gcStallP99: own.gcStallP99, breach } }),
      note: 'STW pauses and assist stalls as one distribution: what an event waits for GC.',
    },
    {
      signal: 'gcStallTarget',
      limit: t.gcStallTargetNs,
      unit: 'ns',
      enforced: false,
      formula: 'max(gcStallP99 − reserve, gcStallP99 ÷ 2)',
      inputs: { gcStallP99Ns: t.gcStallP99Ns, reserveNs: STALL_RESERVE_NS },
      note: 'What tuning aims for.',
    },
    {
      signal: 'gcCpuShare',
      limit: t.gcCpuShare,
      unit: 'ratio',
      enforced: true,
      ...(own.gcCpuShare === undefined
        ? { formula: '100 % − throughput', inputs: { throughput: sla.throughput, breach } }
        : { formula: 'thresholds.gcCpuShare (override)', inputs: { gcCpuShare: own.gcCpuShare, breach } }),
    },
    {
      signal: 'heapEmergencies',
      limit: t.heapEmergencies.count,
      unit: 'count',
      enforced: false,
      formula: 'one per cost ÷ (1 − availability)',
      inputs: {
        availability: sla.availability,
        costSeconds: EMERGENCY_COST_SECONDS,
        perHours: t.heapEmergencies.perHours,
      },
      note: `At most ${t.heapEmergencies.count} per ${t.heapEmergencies.perHours} h, assuming that one emergency costs ${EMERGENCY_COST_SECONDS} s of availability.`,
    },
    {
      signal: 'memoryPressureSome',
      limit: t.memoryPressureSome,
      unit: 'ratio',
      enforced: true,
      formula: 'Δ(PSI memory some total) ÷ window',
      inputs: { memoryPressureSome: own.memoryPressureSome, breach },
    },
    {
      signal: 'memoryPressureFull',
      limit: t.memoryPressureFull,
      unit: 'ratio',
      enforced: true,
      formula: 'Δ(PSI memory full total) ÷ window',
      inputs: { memoryPressureFull: own.memoryPressureFull, breach },
      note: 'The warning before an OOM kill.',
    },
    ...explainFurther(spec),
    {
      signal: 'nodeMemoryPressure',
      limit: t.nodeMemoryPressure,
      unit: 'ratio',
      enforced: false,
      formula: 'Δ(PSI memory some total of the node) ÷ window',
      inputs: { nodeMemoryPressure: own.nodeMemoryPressure },
      note: 'Above it, pressure on a container that is far from its own limit is evidence of a neighbour.',
    },
    {
      signal: 'tlsHandshake',
      limit: t.network.tlsHandshakeNs,
      unit: 'ns',
      enforced: false,
      formula: 'thresholds.tlsHandshake',
      inputs: { tlsHandshake: own.tlsHandshake },
      note: 'A slower TLS handshake is evidence that latency has another cause than the collector.',
    },
    {
      signal: 'connect',
      limit: t.network.connectNs,
      unit: 'ns',
      enforced: false,
      formula: 'thresholds.connect',
      inputs: { connect: own.connect },
      note: 'The same of TCP connections.',
    },
  ];
  if (latencySeconds > 0) {
    rows.push({
      signal: 'overLimitStallRate',
      limit: ratePerHourOfSparing(latencySeconds, 0.99),
      unit: '1/h',
      enforced: false,
      formula: '(1/T) · ln(1/p) · 3600',
      inputs: { TSeconds: latencySeconds, p: 0.99 },
      note: 'Poisson model: up to so many stalls above the gcStallP99 limit per hour, 99 % of events meet none of them. T = latencyP99 is how long an event is exposed: its flight and the stall together.',
    });
  }
  if (limitSeconds > 0) {
    rows.push({
      signal: 'gcRateOfMeeting',
      limit: ratePerHourOfMeetingGc(limitSeconds, 0.99),
      unit: '1/h',
      enforced: false,
      formula: '(1/T) · ln(1/(1−p)) · 3600',
      inputs: { TSeconds: limitSeconds, p: 0.99 },
      note: 'The expression often quoted as "acceptable GC frequency", evaluated as it stands: at this rate 99 % of intervals as long as the stall limit hold at least one collection. It bounds nothing that users feel (it grows with p). The 276.31/h printed with it for T = 30 ms, p = 0.99 is ln(100) · 3600 ÷ 60: the value for T = 60 seconds, 2000 times too low.',
    });
  }
  return rows;
}
