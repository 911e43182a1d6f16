import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import type { Manifest } from './manifest.ts';
import { comparePaths } from './paths.ts';

/** https://github.com/in-toto/attestation, spec/v1/statement.md */
export const statementType = 'https://in-toto.io/Statement/v1';
export const predicateType = 'https://robotgc.dev/bundle/v1';
export const payloadType = 'application/vnd.in-toto+json';

export const statementSchema = z.object({
  _type: z.literal(statementType),
  subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string() }) })),
  predicateType: z.literal(predicateType),
  predicate: z.unknown(),
});

/** Path → sha256 hex of every file in the bundle but the attestation itself. */
export type Digests = ReadonlyMap<string, string>;

/** Says: these files, the manifest among them, are the evidence of this incident. */
export function statementText(manifest: Manifest, digests: Digests): string {
  const subject = [...digests]
    .sort(([a], [b]) => comparePaths(a, b))
    .map(([name, sha256]) => ({ name, digest: { sha256 } }));
  const { incident, createdAt, previous, seal } = manifest;
  return canonicalJson({
    _type: statementType,
    subject,
    predicateType,
    predicate: { formatVersion: manifest.formatVersion, incident, createdAt, previous, seal },
  });
}
