import type { KeyObject } from 'node:crypto';
import { openEnvelope, signedBy } from './dsse.ts';
import { attestationPath, type Manifest, manifestPath, manifestSchema } from './manifest.ts';
import { comparePaths } from './paths.ts';
import type { Scan, ScannedFile } from './scan.ts';
import { payloadType, statementSchema } from './statement.ts';
import { BundleError, type BundleErrorCode, type Problem, type SignatureState } from './types.ts';

export interface Findings {
  readonly problems: readonly Problem[];
  readonly manifest?: Manifest;
  readonly signature: SignatureState;
}

/** Judges what a scan found: manifest against files, attestation against both, signature against the key. Pure. */
export function findProblems(scan: Scan, publicKey?: KeyObject): Findings {
  const parsed = parseManifest(scan);
  const manifest = 'manifest' in parsed ? parsed.manifest : undefined;
  const fromManifest = 'manifest' in parsed ? manifestProblems(parsed.manifest, scan.files) : [parsed.problem];
  const { problems, signature } = attestationProblems(scan, publicKey);
  return { problems: [...fromManifest, ...problems], signature, ...(manifest ? { manifest } : {}) };
}

function problem(code: BundleErrorCode, message: string, path?: string): Problem {
  return path === undefined ? { code, message } : { code, message, path };
}

function parseManifest(scan: Scan): { manifest: Manifest } | { problem: Problem } {
  const text = scan.kept.get(manifestPath)?.toString('utf8');
  if (text === undefined)
    return { problem: problem('manifest-missing', 'there is no manifest.json: not a robotgc bundle', manifestPath) };
  const json = parseJson(text);
  const result = manifestSchema.safeParse(json);
  if (result.success) return { manifest: result.data };
  const issue = result.error.issues[0];
  const detail = issue ? `${issue.path.join('.') || 'manifest'}: ${issue.message}` : 'unknown';
  return { problem: problem('manifest-invalid', `manifest.json is not of format 1 (${detail})`, manifestPath) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function manifestProblems(manifest: Manifest, files: ReadonlyMap<string, ScannedFile>): Problem[] {
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  const found: Problem[] = [];
  if (listed.size !== manifest.files.length || !isSorted(manifest.files.map((file) => file.path))) {
    found.push(problem('manifest-invalid', 'manifest.json lists files twice or out of order', manifestPath));
  }
  for (const [path, file] of listed) {
    const actual = files.get(path);
    if (!actual)
      found.push(problem('file-missing', `${path} is listed in the manifest and missing from the archive`, path));
    else if (actual.sha256 !== file.sha256 || actual.sizeBytes !== file.sizeBytes) {
      found.push(
        problem('digest-mismatch', `${path} was altered: sha256 ${actual.sha256}, listed ${file.sha256}`, path),
      );
    }
  }
  for (const path of files.keys()) {
    if (path === manifestPath || path === attestationPath || listed.has(path)) continue;
    found.push(problem('file-unlisted', `${path} is in the archive but not in the manifest: it was slipped in`, path));
  }
  return found;
}

function isSorted(paths: readonly string[]): boolean {
  return paths.every((path, index) => index === 0 || comparePaths(paths[index - 1] ?? '', path) < 0);
}

function attestationProblems(scan: Scan, publicKey?: KeyObject): { problems: Problem[]; signature: SignatureState } {
  const text = scan.kept.get(attestationPath)?.toString('utf8');
  if (text === undefined) {
    if (!publicKey) return { problems: [], signature: 'none' };
    return {
      problems: [problem('unsigned', 'the bundle is not signed: it was never sealed, or the attestation was removed')],
      signature: 'none',
    };
  }
  try {
    const envelope = openEnvelope(text);
    if (publicKey && !signedBy(envelope, publicKey)) {
      const message = 'the signature is not by this key, or what it covers was altered';
      return { problems: [problem('signature-invalid', message, attestationPath)], signature: 'invalid' };
    }
    const signature = publicKey ? 'valid' : 'unchecked';
    return { problems: subjectProblems(envelope.payloadType, envelope.payload, scan.files), signature };
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return {
      problems: [problem(error.code, error.message, attestationPath)],
      signature: publicKey ? 'invalid' : 'unchecked',
    };
  }
}

/** The statement's subjects must be exactly the archive's files: none other, none less. */
function subjectProblems(type: string, payload: Buffer, files: ReadonlyMap<string, ScannedFile>): Problem[] {
  const statement = statementSchema.safeParse(parseJson(payload.toString('utf8')));
  if (type !== payloadType || !statement.success) {
    return [
      problem(
        'attestation-invalid',
        'the attestation is not an in-toto statement about a robotgc bundle',
        attestationPath,
      ),
    ];
  }
  const subjects = new Map(statement.data.subject.map(({ name, digest }) => [name, digest.sha256]));
  const found: Problem[] = [];
  for (const [name, sha256] of subjects) {
    const actual = files.get(name);
    if (!actual) found.push(problem('file-missing', `${name} was signed and is missing from the archive`, name));
    else if (actual.sha256 !== sha256)
      found.push(problem('digest-mismatch', `${name} was altered after it was signed`, name));
  }
  for (const path of files.keys()) {
    if (path !== attestationPath && !subjects.has(path)) {
      found.push(problem('file-unlisted', `${path} was not signed: it was slipped in`, path));
    }
  }
  return found;
}
