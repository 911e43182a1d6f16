/** The consent of a person to one recommended change. */
import { z } from 'zod';
import { ANNOTATION_APPROVAL, ANNOTATION_APPROVED_BY } from './names.ts';
import { Changed, Setting, Way } from './ways.ts';

/** What exactly was approved: another value is another decision. */
export const ApprovedChange = z.object({ kind: Way, knob: Changed, from: Setting, to: Setting });
export type ApprovedChange = z.infer<typeof ApprovedChange>;

/** As the annotation `robotgc.dev/approval` of an incident holds it, in JSON. */
const Given = z.object({ at: z.iso.datetime(), change: ApprovedChange });

export interface Approval extends z.infer<typeof Given> {
  /** User name, as the API server knows it. */
  readonly by: string;
}

/** In an incident's status: what became of the recommendation. */
export const ApprovalStatus = z.object({
  state: z
    .enum(['Offered', 'HeldBack', 'Accepted', 'Refused'])
    .describe('HeldBack: approved, and a guardrail stands against it; after Refused another approval may be given.'),
  until: z.iso.datetime().describe('Until when the recommendation may be approved.'),
  by: z.string().optional(),
  at: z.iso.datetime().optional().describe('When the approval was given.'),
  reason: z.string().optional().describe('Why it was refused or is held back.'),
});
export type ApprovalStatus = z.infer<typeof ApprovalStatus>;

/** Undefined where the annotations of an incident hold none, or what is none. */
export function approvalOf(annotations: Readonly<Record<string, string>>): Approval | undefined {
  const { [ANNOTATION_APPROVED_BY]: by, [ANNOTATION_APPROVAL]: text } = annotations;
  if (!by || text === undefined) return undefined;
  try {
    const given = Given.safeParse(JSON.parse(text));
    return given.success ? { by, ...given.data } : undefined;
  } catch {
    return undefined;
  }
}

export function annotationsOf({ by, at, change }: Approval): Record<string, string> {
  return { [ANNOTATION_APPROVED_BY]: by, [ANNOTATION_APPROVAL]: JSON.stringify({ at, change }) };
}
