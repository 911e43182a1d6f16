import { containerdSocket } from './containerd.ts';
import { ClusterError } from './errors.ts';
import { enter } from './node.ts';
import type { ProcessRecord } from './processes.ts';
import { run } from './run.ts';

/** Hands an image archive to the cluster's containerd, in the namespace that the kubelet looks into. Waits for the socket. */
export async function importArchive(
  holder: ProcessRecord,
  ctr: string,
  archive: string,
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const command = ['-a', containerdSocket, '-n', 'k8s.io'];
  const wait = `for i in $(seq 100); do [ -S ${containerdSocket} ] && exec "$@"; sleep 0.1; done; exit 7`;
  const result = await run(
    enter(holder, ['sh', '-c', wait, 'sh', ctr, ...command, 'images', 'import', '--local', archive]),
    { ...options, okCodes: [0, 7] },
  );
  if (result.code === 7) throw new ClusterError('NOT_READY', `containerd did not open ${containerdSocket} within 10 s`);
}
