/** A policy from a file, checked as the API server would check it. */
import { readFileSync } from 'node:fs';
import { LineCounter, parseAllDocuments } from 'yaml';
import { API_VERSION, checkPolicy, type RobotGCPolicy } from '../api/index.ts';
import { CliError, exitCodes } from './exit.ts';
import { locate, plainValue } from './lint/locate.ts';

/** Outside Kubernetes there are no labels to select by: the process is named on the command line. */
const NO_SELECTOR = { matchLabels: { 'robotgc.dev/local': 'true' } };

/**
 * One RobotGCPolicy (other documents of the file are passed over), or its spec alone; the selector may be left out.
 * @throws CliError with exit code 2 and, for each problem, its line and what to write instead
 */
export function loadPolicy(file: string): RobotGCPolicy {
  const lines = new LineCounter();
  const documents = parseAllDocuments(readText(file), { lineCounter: lines });
  const [document, ...others] = documents.filter(
    (candidate) =>
      candidate.errors.length > 0 || plainValue(candidate) instanceof Error || looksLikePolicy(plainValue(candidate)),
  );
  const broken = document?.errors[0];
  if (broken) throw new CliError(exitCodes.usage, `${file} is not YAML: ${broken.message}`);
  if (!document)
    throw new CliError(exitCodes.usage, `${file} holds no RobotGCPolicy: write kind: RobotGCPolicy, or its spec alone`);
  if (others.length > 0)
    throw new CliError(exitCodes.usage, `${file} holds ${others.length + 1} policies: name a file with one`);

  const value = plainValue(document);
  if (value instanceof Error)
    throw new CliError(exitCodes.usage, `${file} is not YAML: ${value.message}`, { cause: value });
  const whole = isRecord(value) && value.kind !== undefined;
  const checked = checkPolicy(whole ? completed(value) : completed({ spec: value }));
  if (checked.ok) return checked.policy;
  const told = checked.problems.map(({ path, message }) => {
    const { line } = locate(document, whole ? path : path.slice(1), lines);
    return `  line ${line}, ${path.join('.')}: ${message}`;
  });
  throw new CliError(exitCodes.usage, `${file} is not a valid policy:\n${told.join('\n')}`);
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(exitCodes.usage, `cannot read ${file}: ${why}`, { cause: error });
  }
}

/** A whole policy, or the spec of one. */
export function looksLikePolicy(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return value.kind === 'RobotGCPolicy' || (value.kind === undefined && ('sla' in value || 'spec' in value));
}

function completed(value: Readonly<Record<string, unknown>>): unknown {
  const metadata = isRecord(value.metadata) ? value.metadata : {};
  const spec = isRecord(value.spec) ? { selector: NO_SELECTOR, ...value.spec } : value.spec;
  return { apiVersion: API_VERSION, kind: 'RobotGCPolicy', ...value, metadata: { name: 'policy', ...metadata }, spec };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
