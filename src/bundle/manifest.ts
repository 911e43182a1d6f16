import { z } from 'zod';

export const manifestPath = 'manifest.json';
export const attestationPath = 'attestation.dsse.json';
export const formatVersion = 1;

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in lower-case hex');
const instant = z.iso.datetime();

export const manifestFileSchema = z.strictObject({
  path: z.string(),
  sha256: sha256Hex,
  sizeBytes: z.number().int().nonnegative(),
  /** Where it came from, for people. */
  source: z.string(),
  windowStart: instant.optional(),
  windowEnd: instant.optional(),
});

/** Set when the operator closes the bundle; after that nothing may be added. */
export const sealSchema = z.strictObject({
  at: instant,
  /** Who sealed it: the operator's identity, as in its Lease. */
  by: z.string(),
  /** sha256 of the bundle file as the agent sent it: ties the sealed bundle to what was uploaded and acknowledged. */
  capturedSha256: sha256Hex,
});

export const manifestSchema = z.strictObject({
  formatVersion: z.literal(formatVersion),
  incident: z.strictObject({ namespace: z.string(), name: z.string(), uid: z.string() }),
  /** The policy exactly as it was evaluated. */
  policy: z.json(),
  createdAt: instant,
  node: z.string(),
  /** Versions of what made the bundle: `{robotgc: "0.1.0", node: "24.21.0", kernel: "6.12.1", go: "go1.26.8"}`. */
  tools: z.record(z.string(), z.string()),
  /** sha256 of the policy's bundle before this one; null for the first. Set by the seal. */
  previous: sha256Hex.nullable(),
  seal: sealSchema.nullable(),
  /** All files but the manifest and the attestation, sorted by path. */
  files: z.array(manifestFileSchema),
});

export type ManifestFile = z.infer<typeof manifestFileSchema>;
export type Manifest = z.infer<typeof manifestSchema>;
/** What the writer must be told; the rest it works out. */
export type ManifestInput = Pick<Manifest, 'incident' | 'policy' | 'createdAt' | 'node' | 'tools'>;
