/** From the text of a file to what is wrong with the policies in it. Pure. */
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { checkPolicy, type Path } from '../../api/index.ts';
import { advise } from './advice.ts';
import { locate, plainValue } from './locate.ts';

export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Dotted, from the document's root; empty for the document itself. */
  readonly path: string;
  /** `error` = the API server would refuse it. */
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
}

export interface Linted {
  readonly findings: readonly Finding[];
  readonly policies: number;
}

/** Documents of other kinds are passed over; a file without any policy is an error, it is the wrong file. */
export function lintText(file: string, text: string): Linted {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  const findings: Finding[] = [];
  let policies = 0;
  for (const document of documents) {
    const report = reporter(file, document, lines);
    if (document.errors.length > 0) {
      policies += 1;
      for (const error of document.errors) {
        const { line, col } = lines.linePos(error.pos[0]);
        const message = error.message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? error.code;
        findings.push({ file, line, column: col, path: '', severity: 'error', code: 'Yaml', message });
      }
      continue;
    }
    const value = plainValue(document);
    if (value instanceof Error) {
      policies += 1;
      findings.push(report('error', 'Yaml', [], value.message));
    } else if (isOurs(value)) {
      policies += 1;
      findings.push(...ofPolicy(value, report));
    }
  }
  if (policies === 0) {
    const message = 'there is no RobotGCPolicy in this file: write kind: RobotGCPolicy';
    findings.push({ file, line: 1, column: 1, path: '', severity: 'error', code: 'NoPolicy', message });
  }
  return { findings, policies };
}

type Report = (severity: Finding['severity'], code: string, path: Path, message: string) => Finding;

function reporter(file: string, document: Document, lines: LineCounter): Report {
  return (severity, code, path, message) => ({
    file,
    ...locate(document, path, lines),
    path: path.join('.'),
    severity,
    code,
    message,
  });
}

function ofPolicy(value: unknown, report: Report): Finding[] {
  const checked = checkPolicy(value);
  if (!checked.ok) return checked.problems.map(({ path, message }) => report('error', 'Refused', path, message));
  return advise(checked.policy.spec).map(({ code, path, message }) =>
    report('warning', code, ['spec', ...path], message),
  );
}

/** A document that names another kind is not for us; one that names none is a policy that forgot to. */
function isOurs(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value !== null;
  if ('kind' in value) return value.kind === 'RobotGCPolicy';
  return true;
}
