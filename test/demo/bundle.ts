/** Fetches the stored bundle and the public key from the cluster, and verifies them with the command a user would run. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { BundleRef } from '../../src/api/index.ts';
import type { Cluster, ReachableCluster } from '../cluster/cluster.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { run } from '../cluster/run.ts';
import { PRODUCT_NAMESPACE } from './deploy.ts';

export interface FetchedBundle {
  readonly file: string;
  readonly keyFile: string;
}

const Volume = z.object({ spec: z.object({ hostPath: z.object({ path: z.string() }) }) });

/** @param folder where both are put; made when missing */
export async function fetchBundle(cluster: Cluster, bundle: BundleRef, folder: string): Promise<FetchedBundle> {
  await mkdir(folder, { recursive: true });
  const stored = await pathOnNode(cluster, bundle);
  const file = join(folder, basename(stored));
  await copyFile(stored, file);

  const keyFile = join(folder, 'signing-key.pem');
  const service = `/api/v1/namespaces/${PRODUCT_NAMESPACE}/services/https:robotgc-operator:8443/proxy/v1/signing-key.pem`;
  await writeFile(keyFile, (await cluster.kubectl(['get', '--raw', service])).stdout);
  return { file, keyFile };
}

/** Where the operator's store keeps it. */
export async function pathOnNode(cluster: ReachableCluster, bundle: BundleRef): Promise<string> {
  const claim = await cluster.kubectl([
    'get',
    'pvc/robotgc-bundles',
    `--namespace=${PRODUCT_NAMESPACE}`,
    '--output=jsonpath={.spec.volumeName}',
  ]);
  const volume = await cluster.kubectl(['get', `pv/${claim.stdout.trim()}`, '--output=json']);
  const { path } = Volume.parse(JSON.parse(volume.stdout)).spec.hostPath;
  return join(path, 'bundles', bundle.uri.replace(/^folder:/, ''));
}

export async function verifyWithCommand({ file, keyFile }: FetchedBundle): Promise<string> {
  const program = join(repositoryDir, 'dist/robotgc.js');
  const { stdout } = await run([process.execPath, program, 'bundle', 'verify', file, '--key', keyFile]);
  return stdout.trim();
}
