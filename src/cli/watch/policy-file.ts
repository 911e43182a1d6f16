/** A policy from a YAML file, as `watch` and `capture` take it: a whole RobotGCPolicy, or its spec alone. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { PolicySpec } from '../../api/index.ts';
import { CliError, exitCodes } from '../exit.ts';

export interface PolicyFile {
  readonly name: string;
  readonly spec: PolicySpec;
}

const wholePolicy = z.object({
  kind: z.literal('RobotGCPolicy'),
  metadata: z.looseObject({ name: z.string().default('policy') }).prefault({}),
  spec: z.unknown(),
});

export function readPolicyFile(path: string): PolicyFile {
  let document: unknown;
  try {
    document = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CliError(
      exitCodes.usage,
      `policy ${path} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
  const whole = wholePolicy.safeParse(document);
  // A robot without Kubernetes needs no selector: the process is named on the command line.
  const body: unknown = whole.success ? whole.data.spec : document;
  const spec = PolicySpec.safeParse(typeof body === 'object' && body !== null ? { selector: {}, ...body } : body);
  if (!spec.success)
    throw new CliError(exitCodes.usage, `policy ${path} is not valid:\n${z.prettifyError(spec.error)}`);
  return { name: whole.success ? whole.data.metadata.name : 'policy', spec: spec.data };
}
