import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinaries } from './binaries.ts';
import { type Authority, createAuthority, createServiceAccountKey, issue, renderKubeconfig } from './certificates.ts';
import { apiserverFlags, etcdFlags, etcdUrl } from './control-plane-flags.ts';
import { freePorts } from './ports.ts';
import { type ProcessRecord, sendSignal, startDaemon, startTicksOf, stopProcess } from './processes.ts';
import { waitForApiserver } from './ready.ts';

/**
 * A real API server for tests: etcd and kube-apiserver on loopback, nothing else, no root needed. There are no
 * controllers, so nothing collects garbage, makes default service accounts or finishes the deletion of a namespace.
 */
export interface ControlPlane {
  /** Client certificate of group system:masters, everything embedded. */
  readonly kubeconfigPath: string;
  readonly adminUrl: string;
  /** Certificate authority of the server, PEM. */
  readonly ca: string;
  /** For certificates of further clients. */
  readonly authority: Authority;
  readonly dir: string;
  readonly apiserver: ApiserverControl;
  stop(): Promise<void>;
}

export interface ApiserverControl {
  /** Process number now; 0 while stopped. */
  readonly pid: number;
  readonly port: number;
  /** `KILL` ends it as a crash would: connections are cut without a word. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** On the same port, with the same data; returns when it is ready. */
  start(): Promise<void>;
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Default: a new directory below the system's temporary one, removed by `stop`. */
  readonly dir?: string;
  readonly ports?: { readonly apiserver: number; readonly etcdClient: number; readonly etcdPeer: number };
  readonly apiserverFlags?: readonly string[];
  /** Addresses besides 127.0.0.1 that it is reached at, for its certificate. */
  readonly addresses?: readonly string[];
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const address = '127.0.0.1';

/** @throws ClusterError when a program cannot be built, ends by itself, or is not ready within a minute. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await ensureBinaries(['etcd', 'kube-apiserver'], options);
  const dir = options.dir ?? (await temporaryDir());
  await mkdir(dir, { recursive: true });
  const [apiserverPort = 0, clientPort = 0, peerPort = 0] =
    options.ports === undefined
      ? await freePorts(3)
      : [options.ports.apiserver, options.ports.etcdClient, options.ports.etcdPeer];
  const etcdSettings = { dataDir: join(dir, 'etcd'), address, clientPort, peerPort };
  const adminUrl = `https://${address}:${apiserverPort}`;

  let etcd: ProcessRecord | undefined;
  let apiserver: ProcessRecord | undefined;
  // Only synchronous work is done while the process exits.
  const killAll = () => {
    for (const record of [apiserver, etcd]) if (record !== undefined) sendSignal(record, 'SIGKILL');
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', killAll);
  const stop = async () => {
    // The server first: without its store it would take its whole grace period.
    if (apiserver !== undefined) await stopProcess(apiserver, 200);
    if (etcd !== undefined) await stopProcess(etcd, 200);
    process.off('exit', killAll);
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };

  try {
    etcd = await startDaemon({
      name: 'etcd',
      command: [binaries.etcd, ...etcdFlags(etcdSettings)],
      logPath: join(dir, 'etcd.log'),
      dieWithParent: true,
    });
    const authority = await createAuthority(join(dir, 'pki'));
    const [serving, admin, serviceAccountKey] = await Promise.all([
      issue(authority, {
        name: 'apiserver',
        altNames: [address, ...(options.addresses ?? [])]
          .map((ip) => `IP:${ip}`)
          .concat('DNS:localhost', 'DNS:kubernetes.default.svc'),
      }),
      issue(authority, { name: 'admin', organizations: ['system:masters'] }),
      createServiceAccountKey(authority.dir),
    ]);
    const kubeconfigPath = join(dir, 'kubeconfig');
    await writeFile(kubeconfigPath, await renderKubeconfig(adminUrl, authority, admin), { mode: 0o600 });
    const flags = apiserverFlags({
      address,
      port: apiserverPort,
      etcd: etcdUrl(etcdSettings),
      authority,
      serving,
      serviceAccountKey,
      serviceCidr: '10.96.0.0/16',
      authorizationModes: ['Node', 'RBAC'],
      extra: [
        // Nobody makes service accounts or endpoints here, so nothing may wait for them.
        '--disable-admission-plugins=ServiceAccount',
        '--endpoint-reconciler-type=none',
        ...(options.apiserverFlags ?? []),
      ],
    });
    const start = async () => {
      apiserver = await startDaemon({
        name: 'kube-apiserver',
        command: [binaries['kube-apiserver'], ...flags],
        logPath: join(dir, 'kube-apiserver.log'),
        dieWithParent: true,
      });
      await waitForApiserver({
        url: adminUrl,
        authority,
        admin,
        processes: [apiserver],
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    };
    const stopServer = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') => {
      if (apiserver === undefined) return;
      if (signal === 'SIGKILL') sendSignal(apiserver, signal);
      await stopProcess(apiserver, 10_000);
      apiserver = undefined;
    };
    await start();
    return {
      kubeconfigPath,
      adminUrl,
      ca: await readFile(authority.certPath, 'utf8'),
      authority,
      dir,
      apiserver: {
        get pid() {
          return apiserver?.pid ?? 0;
        },
        port: apiserverPort,
        stop: stopServer,
        start,
        restart: async (signal) => {
          await stopServer(signal);
          await start();
        },
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const prefix = 'robotgc-control-plane-';

/** The directory's name tells whose it is, so that those of killed test runs can be removed by the next. */
async function temporaryDir(): Promise<string> {
  const root = tmpdir();
  for (const entry of await readdir(root)) {
    const [pid, startTicks] = entry.startsWith(prefix) ? entry.slice(prefix.length).split('-') : [];
    if (pid === undefined || startTicks === undefined || startTicksOf(Number(pid)) === startTicks) continue;
    await rm(join(root, entry), { recursive: true, force: true });
  }
  return mkdtemp(join(root, `${prefix}${process.pid}-${startTicksOf(process.pid)}-`));
}
