/** What the API server would refuse about a policy, found without one. */
import { z } from 'zod';
import { RobotGCPolicy } from './objects.ts';
import { type Path, policyProblems } from './rules.ts';

export interface PolicyProblem {
  /** From the document's root, such as `['spec', 'tuning', 'gogc', 'min']`. */
  readonly path: Path;
  /** What is wrong, and what to write instead. */
  readonly message: string;
}

export type CheckedPolicy =
  | { readonly ok: true; readonly policy: RobotGCPolicy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** Metadata as people write it: a name that the API server accepts, and labels need one of at most 63 characters. */
const Name = z
  .string()
  .max(63, 'the name is used as a label: write at most 63 characters')
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'write a name of lower-case letters, digits, - and .');

const PolicyDocument = RobotGCPolicy.extend({ metadata: RobotGCPolicy.shape.metadata.extend({ name: Name }) });

/** @param document one parsed YAML or JSON document; defaults are filled in the policy that is returned */
export function checkPolicy(document: unknown): CheckedPolicy {
  const parsed = PolicyDocument.safeParse(document);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(problemsOf) };
  const problems = policyProblems(parsed.data.spec).map(({ path, message }) => ({ path: ['spec', ...path], message }));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, policy: parsed.data };
}

/** One problem per unknown field, at the field itself. */
function problemsOf(issue: z.core.$ZodIssue): PolicyProblem[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? step.toString() : step));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `there is no field ${key} here: remove it, or correct its name`,
    }));
  }
  return [{ path, message: sentenceOf(issue) }];
}

const WORDS_FOR_TYPES: Readonly<Record<string, string>> = {
  string: 'text; quote it where YAML would read a number',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'fields below this one',
  record: 'names and values below this one',
};

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    const wanted = WORDS_FOR_TYPES[issue.expected] ?? `a value of type ${issue.expected}`;
    return issue.message.endsWith('received undefined') ? `missing: write ${wanted}` : `write ${wanted}`;
  }
  if (issue.code === 'invalid_value') return `write one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small') return `write at least ${issue.minimum}${counted(issue.origin)}`;
  if (issue.code === 'too_big' && issue.origin !== 'string')
    return `write at most ${issue.maximum}${counted(issue.origin)}`;
  return issue.message;
}

function counted(origin: string): string {
  if (origin === 'array') return ' of them';
  return origin === 'string' ? ' characters' : '';
}
