import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downCluster, type LocalCluster, openCluster, upLocalCluster } from './cluster.ts';
import { type BuiltImage, buildGoImage } from './images.ts';
import { freePorts } from './ports.ts';
import { isRunning, waitUntil } from './processes.ts';
import { pathsOf, readState } from './state.ts';
import { clusterStatus } from './status.ts';
import { machineTraces } from './testing.ts';

const isRoot = process.getuid?.() === 0;
const names = ['test-one', 'test-two'] as const;

const manifests = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  replicas: 2
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      containers:
      - name: echo
        image: robotgc.dev/echo:local
        imagePullPolicy: Never
        resources: {requests: {memory: 32Mi, cpu: 50m}, limits: {memory: 96Mi, cpu: 500m}}
        readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
        volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Pod
metadata: {name: observer}
spec:
  hostPID: true
  containers:
  - name: observer
    image: robotgc.dev/echo:local
    imagePullPolicy: Never
    securityContext:
      runAsUser: 0
      readOnlyRootFilesystem: true
      allowPrivilegeEscalation: false
      seccompProfile: {type: RuntimeDefault}
      capabilities: {drop: [ALL], add: [BPF, PERFMON, SYS_PTRACE]}
    volumeMounts: [{name: cgroup, mountPath: /sys/fs/cgroup, readOnly: true}]
  volumes: [{name: cgroup, hostPath: {path: /sys/fs/cgroup}}]
`;

describe.skipIf(!isRoot)('two local clusters at once (needs root)', () => {
  let before: Awaited<ReturnType<typeof machineTraces>>;
  let image: BuiltImage;
  let one: LocalCluster;
  let two: LocalCluster;
  let pod: string;

  const get = async (cluster: LocalCluster, what: string, path: string) =>
    (await cluster.kubectl(['get', ...what.split(' '), '-o', `jsonpath=${path}`])).stdout;
  const inPod = async (verb: string, argument: string, name = pod) =>
    (await one.kubectl(['exec', name, '--', '/echo', verb, argument])).stdout;

  beforeAll(async () => {
    for (const name of names) await downCluster(name);
    before = await machineTraces(names);
    image = await buildGoImage({
      dir: fileURLToPath(new URL('./testdata/echo', import.meta.url)),
      pkg: '.',
      name: 'echo',
    });
    [one, two] = await Promise.all([upLocalCluster({ name: names[0] }), upLocalCluster({ name: names[1] })]);
    await one.importImage(image);
    await one.kubectl(['apply', '-f', '-'], manifests);
    await one.kubectl(['rollout', 'status', 'deployment/echo', '--timeout=60s']);
    await one.kubectl(['wait', '--for=condition=Ready', 'pod/observer', '--timeout=60s']);
    pod = await get(one, 'pods -l app=echo', '{.items[0].metadata.name}');
  });
  afterAll(async () => {
    for (const name of names) await downCluster(name);
  });

  it('have a ready node each, and do not know each other', async () => {
    for (const cluster of [one, two]) {
      expect(await get(cluster, 'nodes', '{.items[*].metadata.name}')).toBe(cluster.nodeName);
      expect(await get(cluster, 'nodes', '{..conditions[?(@.type=="Ready")].status}')).toBe('True');
    }
    expect(one.network.index).not.toBe(two.network.index);
    expect(await get(two, 'pods -A', '{.items[*].metadata.name}')).not.toContain('echo');
    await expect(inPod('get', `https://${two.network.nodeIp}:6443/readyz`)).rejects.toThrow(/no route to host/);
  });

  it('say so when they are already up', async () => {
    const said: string[] = [];
    await upLocalCluster({ name: one.name, onProgress: (line) => said.push(line) });
    expect(said).toEqual([`cluster "${one.name}" is already up`]);
    expect(await clusterStatus(one.name)).toMatchObject([{ phase: 'up', apiReady: true }]);
  });

  it('show logs, and run commands in a pod', async () => {
    expect((await one.kubectl(['logs', pod])).stdout).toContain('listening');
    expect(await inPod('read', '/proc/self/status')).toContain('Uid:\t65532');
  });

  it('bind a claim to a volume that a program without privileges can write to', async () => {
    expect(await get(one, 'pvc data', '{.status.phase}')).toBe('Bound');
    await inPod('write', '/data/file');
    expect(await inPod('read', '/data/file')).toBe('written');
    const volume = await get(one, 'pvc data', '{.spec.volumeName}');
    expect(await readFile(join(one.stateDir, 'volumes', volume, 'file'), 'utf8')).toBe('written');
  });

  it('route services and the API address, from pods and from the machine', async () => {
    const service = await get(one, 'service echo', '{.spec.clusterIP}');
    // Several times, because a service chooses a pod at random, the calling one among them.
    for (let call = 0; call < 6; call++) expect(await inPod('get', `http://${service}/`)).toContain('200 hello');
    expect(await inPod('get', `https://${one.network.apiServiceIp}/readyz`)).toContain('200 ok');
    const address = await get(one, `pod ${pod}`, '{.status.podIP}');
    for (const host of [service, `${address}:8080`]) {
      expect(await (await fetch(`http://${host}/`)).text()).toContain('hello');
    }
  });

  it('resolve the names of services, and refuse all others', async () => {
    const service = await get(one, 'service echo', '{.spec.clusterIP}');
    for (const name of ['echo', 'echo.default', 'echo.default.svc.cluster.local.']) {
      expect(await inPod('resolve', name)).toBe(`[${service}]\n`);
    }
    expect(await inPod('resolve', 'kubernetes.default.svc')).toBe(`[${one.network.apiServiceIp}]\n`);
    await expect(inPod('resolve', 'example.org')).rejects.toThrow(/lookup example\.org/);
  });

  it('let nothing out', async () => {
    await expect(inPod('get', 'http://192.0.2.1/')).rejects.toThrow(/no route to host|unreachable/);
    const unknownService = one.network.serviceCidr.replace('.0.0/16', '.250.250');
    await expect(inPod('get', `http://${unknownService}/`)).rejects.toThrow(/no route to host/);
  });

  it('forward a port through the API server', async () => {
    const [port = 0] = await freePorts(1);
    const forward = spawn(
      'sh',
      [
        '-c',
        'exec "$0" --kubeconfig "$1" port-forward "$2" "$3:8080"',
        await kubectlPath(),
        one.kubeconfigPath,
        pod,
        `${port}`,
      ],
      { stdio: 'ignore' },
    );
    try {
      const text = async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.text();
      expect(await waitUntil(async () => (await text())?.startsWith('hello 127.0.0.1') === true, 10_000)).toBe(true);
    } finally {
      forward.kill();
    }
  });

  it('resize a running container without restarting it', async () => {
    const resize = { spec: { containers: [{ name: 'echo', resources: { limits: { memory: '192Mi' } } }] } };
    await one.kubectl(['patch', 'pod', pod, '--subresource', 'resize', '--patch', JSON.stringify(resize)]);
    const limit = async () => {
      const groups = await inPod('read', '/proc/self/cgroup');
      const v1 = /^\d+:memory:(.*)$/m.exec(groups)?.[1];
      const file = v1 === undefined ? undefined : `/sys/fs/cgroup/memory${v1}/memory.limit_in_bytes`;
      if (file !== undefined) return Number(await readFile(file, 'utf8'));
      const id = (await get(one, `pod ${pod}`, '{.status.containerStatuses[0].containerID}')).split('//')[1];
      const found = (await one.onNode(['find', `/sys/fs/cgroup/robotgc/${one.name}`, '-name', id ?? ''])).stdout.trim();
      return Number(await readFile(join(found, 'memory.max'), 'utf8'));
    };
    expect(await waitUntil(async () => (await limit()) === 192 * 1024 ** 2, 15_000)).toBe(true);
    expect(await get(one, `pod ${pod}`, '{.status.containerStatuses[0].restartCount}')).toBe('0');
  });

  it('run a pod that sees the machine’s processes with three capabilities and no more', async () => {
    // CAP_SYS_PTRACE is number 19, CAP_PERFMON 38, CAP_BPF 39.
    const wanted = ((1n << 19n) | (1n << 38n) | (1n << 39n)).toString(16).padStart(16, '0');
    const status = await inPod('read', '/proc/self/status', 'observer');
    expect(status).toContain(`CapEff:\t${wanted}`);
    expect(await inPod('read', `/proc/${process.pid}/comm`, 'observer')).toBe(
      await readFile('/proc/self/comm', 'utf8'),
    );
  });

  it('keep their data when the API server crashes', async () => {
    const pidOf = async () =>
      (await readState(pathsOf(one.name)))?.processes.find(({ name }) => name === 'kube-apiserver')?.pid;
    const pid = await pidOf();
    await one.restart('kube-apiserver', 'SIGKILL');
    expect(await pidOf()).not.toBe(pid);
    expect(await clusterStatus(one.name)).toMatchObject([{ phase: 'up', apiReady: true }]);
    expect(await get(one, `pod ${pod}`, '{.status.phase}')).toBe('Running');
  });

  it('replace one of which a part was killed', async () => {
    const state = await readState(pathsOf(two.name));
    const kubelet = state?.processes.find(({ name }) => name === 'kubelet');
    process.kill(kubelet?.pid ?? 0, 'SIGKILL');
    expect(await waitUntil(async () => (await clusterStatus(two.name))[0]?.phase === 'broken', 5_000)).toBe(true);
    await expect(openCluster(two.name)).rejects.toThrow(/is not up/);
    two = await upLocalCluster({ name: two.name });
    expect(state?.processes.filter(isRunning)).toEqual([]);
    expect(await clusterStatus(two.name)).toMatchObject([{ phase: 'up', apiReady: true }]);
  });

  it('remove what they began when interrupted', async () => {
    await two.down();
    const abort = new AbortController();
    const up = upLocalCluster({
      name: two.name,
      signal: abort.signal,
      onProgress: (line) => {
        if (line.startsWith('namespaces')) abort.abort(new Error('interrupted'));
      },
    });
    await expect(up).rejects.toThrow('interrupted');
    expect(existsSync(pathsOf(two.name).dir)).toBe(false);
  });

  it('leave nothing on the machine', async () => {
    for (const name of names) await downCluster(name);
    for (const name of names) await downCluster(name);
    const after = await machineTraces(names);
    // Other clusters may come and go meanwhile; their links are numbered differently.
    const ours = [one, two].map((cluster) => cluster.network.hostLink);
    const isOthers = (line: string) => /\brgc\d+\b/.test(line) && !ours.some((link) => line.includes(link));
    for (const [what, lines] of Object.entries(after)) {
      const added = lines.filter((line) => !before[what]?.includes(line) && !isOthers(line));
      expect({ what, added }).toEqual({ what, added: [] });
    }
    expect(names.map((name) => existsSync(pathsOf(name).dir))).toEqual([false, false]);
  });
});

async function kubectlPath(): Promise<string> {
  const { ensureBinaries } = await import('./binaries.ts');
  return (await ensureBinaries(['kubectl'])).kubectl;
}
