/** The product's own plan for a program. */
import { readFileSync } from 'node:fs';
import { type AttachPlan, planAttach } from '../../../gobin/index.ts';

export function planOf(binary: string): AttachPlan {
  const bytes = readFileSync(binary);
  const plan = planAttach({ size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) });
  if (plan.kind === 'refused') throw new Error(`${plan.reason}: ${plan.message}`);
  return plan;
}
