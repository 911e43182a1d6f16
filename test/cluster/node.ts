import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ClusterError } from './errors.ts';
import type { ClusterNetwork } from './network.ts';
import { patient } from './patience.ts';
import { assertRunning, type ProcessRecord, startDaemon, waitUntil } from './processes.ts';
import { run } from './run.ts';
import type { ClusterPaths } from './state.ts';

/**
 * The cluster's node: a mount and a network namespace held open by one sleeping process. Mounts made in it (secrets, pod
 * root file systems, network namespaces) and its iptables rules and routes are invisible to the machine and vanish with its
 * last process, whatever killed that. The process namespace stays the machine's, so that a pod with hostPID sees the same
 * process numbers as the kernel's probes report.
 */

/** Settings that the kubelet insists on writing. They are the machine's, so in the node plain files stand in their place. */
const shadowedSysctls = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
] as const;

/** Directories whose paths the kubelet and the CNI library have compiled in; made on the machine as mount points if they are missing. */
const mountPoints = ['/var/lib/kubelet', '/var/lib/cni'] as const;

export async function startNode(paths: ClusterPaths, cgroupFiles: readonly string[]): Promise<ProcessRecord> {
  const ready = join(paths.conf, 'node-ready');
  await rm(ready, { force: true });
  for (const dir of [paths.kubelet, paths.cni, join(paths.varLog, 'containers'), ...mountPoints])
    await mkdir(dir, { recursive: true });
  const shadowed: string[] = [];
  for (const name of shadowedSysctls) {
    const file = join(paths.conf, name.replaceAll('/', '.'));
    if (!existsSync(`/proc/sys/${name}`)) continue;
    await writeFile(file, await readFile(`/proc/sys/${name}`));
    shadowed.push(`mount --bind '${file}' /proc/sys/${name}`);
  }
  const script = join(paths.conf, 'node.sh');
  await writeFile(script, nodeScript(paths, shadowed, ready));
  const record = await startDaemon({
    name: 'node',
    command: inCgroups(cgroupFiles, ['unshare', '--net', '--mount', '--propagation', 'slave', 'sh', script]),
    logPath: join(paths.logs, 'node.log'),
    env: daemonEnv(),
  });
  const ok = await waitUntil(() => {
    assertRunning(record);
    return existsSync(ready);
  }, patient(10_000));
  if (!ok) throw new ClusterError('NOT_READY', `the node's namespaces were not ready in time; see ${record.logPath}`);
  return record;
}

function nodeScript(paths: ClusterPaths, shadowed: readonly string[], ready: string): string {
  return `set -eu
# Mounts made on the machine later on still arrive here; those made here stay here, and containers may share them.
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns
mount --bind '${paths.varLog}' /var/log
mount --bind '${paths.kubelet}' /var/lib/kubelet
mount --bind '${paths.cni}' /var/lib/cni
${shadowed.join('\n')}
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing || true
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
: > '${ready}'
exec sleep infinity
`;
}

/** Joins the node's network to the machine, so that its API server, pods and services can be reached from here. */
export async function connectNode(holder: ProcessRecord, network: ClusterNetwork): Promise<void> {
  const { hostLink, hostIp, nodeIp, linkPrefix, podCidr, serviceCidr } = network;
  const batch = (lines: readonly string[]) => `${lines.join('\n')}\n`;
  await run(['ip', '-batch', '-'], {
    input: batch([
      `link add ${hostLink} type veth peer name eth0 netns ${holder.pid}`,
      `addr add ${hostIp}/${linkPrefix} dev ${hostLink}`,
      `link set ${hostLink} up`,
    ]),
  });
  await run(enter(holder, ['ip', '-batch', '-']), {
    input: batch([
      `addr add ${nodeIp}/${linkPrefix} dev eth0`,
      'link set eth0 up',
      // kube-proxy rewrites service addresses only after a route was found; one that no rule catches ends at this link.
      `route add ${serviceCidr} dev eth0 src ${nodeIp}`,
      // There is no way out; this makes a program that tries learn so at once instead of after its timeout.
      'route add unreachable default',
    ]),
  });
  await run(['ip', '-batch', '-'], {
    input: batch([`route add ${podCidr} via ${nodeIp}`, `route add ${serviceCidr} via ${nodeIp}`]),
  });
}

/** The same command, run inside the node's namespaces. */
export function enter(holder: Pick<ProcessRecord, 'pid'>, command: readonly string[]): readonly string[] {
  return ['nsenter', '--target', String(holder.pid), '--net', '--mount', '--', ...command];
}

/** The same command, moved into the given cgroups before it starts; the process number stays. */
export function inCgroups(procsFiles: readonly string[], command: readonly string[]): readonly string[] {
  const moves = procsFiles.map((file) => `echo $$ > '${file}'`);
  return ['sh', '-c', `${moves.join(' && ')} && exec "$@"`, 'sh', ...command];
}

/** Only what is needed: a proxy setting of the user's, for one, would send cluster traffic off the machine. */
export function daemonEnv(binDirs: readonly string[] = []): NodeJS.ProcessEnv {
  const system = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return { PATH: [...binDirs, system].join(':'), HOME: homedir(), LANG: 'C.UTF-8' };
}

/** Removes what the node left outside its namespaces; the last cluster removes the mount points too. */
export async function removeNodeTraces(network: ClusterNetwork, isLastCluster: boolean): Promise<void> {
  await run(['ip', 'link', 'del', network.hostLink], { okCodes: [0, 1] });
  if (!isLastCluster) return;
  for (const dir of mountPoints) await rmdir(dir).catch(() => {}); // kept when somebody else has put something there
}
