/** Evidence becomes an audit bundle: verified, analysed, completed with what the cluster knows, chained, signed, stored. */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleRef, Diagnosis, RobotGCIncident, RobotGCPolicy, SignalSummary } from '../../api/index.ts';
import {
  type BundleEntry,
  BundleError,
  type BundleStore,
  keyId,
  readBundle,
  redactedYaml,
  type Signer,
  type StoredBundle,
  seal,
} from '../../bundle/index.ts';
import { diagnose } from '../../diagnosis/index.ts';
import { deriveThresholds, type SignalWindow, summarise } from '../../model/index.ts';
import { stretchBefore } from '../../remedy/index.ts';
import type { Incoming } from '../ingest/incoming.ts';
import { HEAP_HISTORY_FILE, readHeapHistory, readWindows, WINDOWS_FILE } from './evidence.ts';

export interface SealContext {
  readonly incoming: Incoming;
  readonly store: BundleStore;
  readonly signer: Signer;
  readonly identity: string;
}

export interface Evidence {
  readonly bundle: BundleRef;
  readonly diagnosis: Diagnosis | undefined;
  readonly before: SignalSummary;
}

/**
 * Idempotent: an incident whose bundle is in the store already is analysed again from there, never stored twice. What the agent sent
 * stays until the incident's status says what came of it, see the controller.
 * @param owner the workload's manifest as the API server has it, if there is one
 * @throws BundleError when what the agent sent is not a sound bundle
 */
export async function sealEvidence(
  context: SealContext,
  incident: RobotGCIncident,
  policy: RobotGCPolicy,
  owner: unknown,
): Promise<Evidence> {
  const { namespace, name } = incident.metadata;
  const policyKey = `${namespace}/${incident.spec.policy.name}`;
  const key = bundleKey(incident);
  const { bundles } = await context.store.chain(policyKey);
  const known = bundles.find((stored) => stored.key === key);

  const source = known ? await context.store.get(key) : context.incoming.pathOf(namespace, name);
  const captured = await readSignals(source);
  if (captured.manifest.incident.uid !== incident.metadata.uid) {
    throw new BundleError(
      'manifest-invalid',
      `it is about incident ${captured.manifest.incident.name}, not about this one`,
    );
  }
  const windows = readWindows(captured.files.get(WINDOWS_FILE));
  const before = summarise(stretchBefore(windows, policy.spec));
  const ranked = diagnose({
    windows,
    heapHistory: readHeapHistory(captured.files.get(HEAP_HISTORY_FILE)),
    spec: policy.spec,
    thresholds: deriveThresholds(policy.spec),
    trigger: incident.spec.trigger.signal,
  });
  const stored = known ?? (await sealAnew(context, incident, key, policyKey, { ranked, before }, owner));
  return { bundle: reference(stored, context.signer), diagnosis: ranked[0], before };
}

async function sealAnew(
  { incoming, store, signer, identity }: SealContext,
  incident: RobotGCIncident,
  key: string,
  policyKey: string,
  analysis: object,
  owner: unknown,
): Promise<StoredBundle> {
  const { namespace, name } = incident.metadata;
  const file = join(incoming.folder, `seal-${randomBytes(8).toString('hex')}.tar.gz`);
  try {
    const previous = await store.latest(policyKey);
    const sealed = await seal(incoming.pathOf(namespace, name), {
      add: additions(incident, analysis, owner),
      previous,
      sign: signer,
      at: new Date().toISOString(),
      by: identity,
      file,
      isScratch: true,
    });
    return await store.put(key, createReadStream(file), { sha256: sealed.sha256, previous });
  } finally {
    await rm(file, { force: true });
  }
}

function additions(incident: RobotGCIncident, analysis: object, owner: unknown): BundleEntry[] {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const entries: BundleEntry[] = [
    { path: 'analysis.json', content: bytes(`${JSON.stringify(analysis, null, 2)}\n`), source: 'operator' },
    { path: 'incident.json', content: bytes(`${JSON.stringify(incident, null, 2)}\n`), source: 'Kubernetes API' },
  ];
  if (owner !== undefined) {
    entries.push({ path: 'owner.yaml', content: bytes(redactedYaml(owner)), source: 'Kubernetes API, redacted' });
  }
  return entries;
}

function reference(stored: StoredBundle, signer: Signer): BundleRef {
  return {
    uri: `folder:${stored.key}`,
    sha256: stored.sha256,
    sizeBytes: stored.sizeBytes,
    signer: keyId(signer.privateKey),
    ...(stored.previous === null ? {} : { previous: stored.previous }),
  };
}

/** The stretch before the action, read again from the stored evidence: what was judged once can be judged again. */
export async function windowsBefore(
  { store }: SealContext,
  incident: RobotGCIncident,
  policy: RobotGCPolicy,
): Promise<SignalWindow[]> {
  const bundle = await readSignals(await store.get(bundleKey(incident)));
  return stretchBefore(readWindows(bundle.files.get(WINDOWS_FILE)), policy.spec);
}

/** All of a bundle is checked, and no more of it kept in memory than is looked at here. */
function readSignals(source: Parameters<typeof readBundle>[0]): ReturnType<typeof readBundle> {
  return readBundle(source, {}, (path) => path === WINDOWS_FILE || path === HEAP_HISTORY_FILE);
}

function bundleKey({ metadata, spec }: RobotGCIncident): string {
  return `${metadata.namespace}/${spec.policy.name}/${metadata.name}.tar.gz`;
}
