/**
 * `RobotGCIncident`: one breach and everything that followed from it.
 * `spec` is written once by the agent that saw the breach; `status` is the operator's, except `status.capture`, the agent's.
 */
import { z } from 'zod';
import { ApprovalStatus } from './approval.ts';
import { PassedOver, RunbookName } from './runbooks.ts';
import { SignalName, SignalUnit } from './signals.ts';
import { Changed, Knob, Setting, Way } from './ways.ts';

export const PHASES = [
  'Detected',
  'Captured',
  'Diagnosed',
  'Acting',
  'Verifying',
  'Resolved',
  'RolledBack',
  'Escalated',
  'Observed',
] as const;
export const Phase = z.enum(PHASES);
export type Phase = z.infer<typeof Phase>;

const FINAL: ReadonlySet<Phase> = new Set<Phase>(['Resolved', 'RolledBack', 'Escalated', 'Observed']);
/** Undefined is an incident that nobody has looked at yet: not over. */
export function isFinal(phase: Phase | undefined): boolean {
  return phase !== undefined && FINAL.has(phase);
}

export const Trigger = z.object({
  signal: SignalName,
  observed: z.number().describe('Worst value among the breaching windows, of events their sum, in `unit`.'),
  threshold: z.number(),
  unit: SignalUnit,
  breachingWindows: z.int(),
  ofWindows: z.int(),
  firstBreachAt: z.iso.datetime().describe('End of the first breaching window.'),
  detectedAt: z.iso.datetime(),
});
export type Trigger = z.infer<typeof Trigger>;

export const IncidentSpec = z.object({
  policy: z.object({ name: z.string(), uid: z.string(), generation: z.int() }),
  pod: z.object({ name: z.string(), uid: z.string() }),
  container: z.object({ name: z.string(), id: z.string() }),
  node: z.string(),
  trigger: Trigger,
});
export type IncidentSpec = z.infer<typeof IncidentSpec>;

/** A profile that could not be had: the others are still evidence. */
export const CaptureFailure = z.object({ kind: z.string(), code: z.string(), message: z.string() });

/** Written by the agent under its own field manager. */
export const CaptureStatus = z.object({
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  via: z.string().optional().describe('Way to pprof that worked: podAddress, portForward, networkNamespace.'),
  files: z.int().optional(),
  failures: z.array(CaptureFailure).optional(),
  sha256: z.string().optional().describe('Digest of the archive as the agent shipped it.'),
});
export type CaptureStatus = z.infer<typeof CaptureStatus>;

export const BundleRef = z.object({
  uri: z.string(),
  sha256: z.string(),
  sizeBytes: z.int(),
  signer: z.string().optional(),
  previous: z.string().optional().describe('Digest of the bundle before it in the chain of this policy.'),
});
export type BundleRef = z.infer<typeof BundleRef>;

export const Diagnosis = z.object({
  cause: z.string().describe('Stable code, such as GogcTooLow.'),
  summary: z.string(),
  confidence: z.number().min(0).max(1),
  evidence: z.array(z.string()),
  refutedBy: z.string().optional().describe('What would show that it is not this cause.'),
  remedy: z.string().optional().describe('Absent: none that this product may apply.'),
});
export type Diagnosis = z.infer<typeof Diagnosis>;

export const Plan = z.object({
  kind: z.enum([...Way.options, 'None']),
  knob: Changed.optional(),
  from: Setting.optional(),
  to: Setting.optional(),
  reason: z.string(),
  runbook: RunbookName.optional().describe('The named remedy that was chosen.'),
  passedOver: z
    .array(PassedOver)
    .optional()
    .describe('Others that are made for the same cause, and why they were not chosen.'),
  makesRoomFor: Knob.optional().describe('What follows once this is in effect, in the same incident.'),
  underBytes: z.int().positive().optional().describe('Of Live: the memory limit that it was worked out for.'),
  clampedBy: z.array(z.string()).optional(),
  blockedBy: z.array(z.string()).optional().describe('Guardrails that forbid acting, each with its number.'),
  conflicts: z.array(z.string()).optional().describe('Who else has the say, because of whom a rollout was left out.'),
  patch: z.string().optional().describe('Ready to apply with kubectl, in Recommend mode.'),
});
export type Plan = z.infer<typeof Plan>;

export const Owner = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
});
export type Owner = z.infer<typeof Owner>;

export const ActionRecord = z.object({
  kind: z.enum([...Way.options, 'Rollback']),
  undoes: Way.optional().describe('Of a rollback: by which way it goes back.'),
  owner: Owner,
  container: z.string(),
  knob: Changed,
  before: Setting,
  after: Setting,
  makesRoomFor: Knob.optional().describe('What follows once this is in effect; judged with it, undone before it.'),
  underBytes: z
    .object({ before: z.int().positive().optional(), after: z.int().positive().optional() })
    .optional()
    .describe('Of Live: the memory limit that each value was worked out for; containers with less are left alone.'),
  canary: z.boolean().optional().describe('One pod first: the others follow once it is verified.'),
  persists: z
    .boolean()
    .optional()
    .describe('What was verified in place, written to the template; it is not verified once more.'),
  onDelete: z.literal('Keep').optional().describe('Of Live: the policy says to keep it when the policy is deleted.'),
  previousManagers: z.array(z.string()).optional(),
  conflictsWith: z.array(z.string()).optional().describe('Field managers because of which nothing was changed.'),
  at: z.iso.datetime(),
  result: z.enum(['Pending', 'Applied', 'Completed', 'Failed']),
  message: z.string().optional(),
});
export type ActionRecord = z.infer<typeof ActionRecord>;

/** Begun, and not over: written down, or carried out and not yet in effect everywhere. */
export function isOpenAction({ result }: Pick<ActionRecord, 'result'>): boolean {
  return result === 'Pending' || result === 'Applied';
}

/** The numbers before and after are taken from windows of equal length. */
export const SignalSummary = z.object({
  windows: z.int(),
  gcCpuShare: z.number(),
  gcStallP99Ms: z.number(),
  gcPauseP99Ms: z.number(),
  gcRatePerSecond: z.number(),
  heapLiveBytes: z.number(),
  heapGoalBytes: z.number(),
  gogc: z.int().nullable(),
});
export type SignalSummary = z.infer<typeof SignalSummary>;

export const Verification = z.object({
  before: SignalSummary,
  after: SignalSummary.optional(),
  verdict: z.enum(['Better', 'NotBetter', 'Inconclusive']).optional(),
  reason: z.string().optional(),
  startedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
});
export type Verification = z.infer<typeof Verification>;

export const IncidentStatus = z.object({
  phase: Phase.optional(),
  cause: z.string().optional(),
  message: z.string().optional(),
  capture: CaptureStatus.optional(),
  bundle: BundleRef.optional(),
  diagnosis: Diagnosis.optional(),
  plan: Plan.optional(),
  approval: ApprovalStatus.optional(),
  actions: z.array(ActionRecord).optional(),
  verification: Verification.optional(),
  times: z
    .object({
      detectMs: z.number().optional().describe('First breaching window to breach.'),
      captureMs: z.number().optional().describe('Breach to complete bundle on the node.'),
      healMs: z.number().optional().describe('Breach to verified.'),
      finishedAt: z.iso.datetime().optional(),
    })
    .optional(),
});
export type IncidentStatus = z.infer<typeof IncidentStatus>;
