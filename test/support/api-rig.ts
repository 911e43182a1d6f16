import { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import { objectMeta } from '../../src/kube/kinds/meta.ts';
import type { Resource } from '../../src/kube/resource.ts';
import { type CallMetric, createTransport, type Transport } from '../../src/kube/transport.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { freePorts } from '../cluster/ports.ts';
import { TcpProxy } from './tcp-proxy.ts';

const configMap = z.object({ metadata: objectMeta, data: z.record(z.string(), z.string()).default({}) });
export type ConfigMap = z.infer<typeof configMap>;
export const configMaps: Resource<ConfigMap> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
  parse: (raw) => configMap.parse(raw),
};

/** A client behind a proxy of its own, with every call that it finished. */
export interface ProxiedClient {
  readonly proxy: TcpProxy;
  readonly transport: Transport;
  readonly calls: CallMetric[];
  close(): Promise<void>;
}

/** The real API server, a client straight to it, and clients whose network can fail. */
export class ApiRig {
  readonly plane: ControlPlane;
  readonly direct: Transport;
  readonly #etcdPort: number;
  readonly #clients: ProxiedClient[] = [];

  private constructor(plane: ControlPlane, etcdPort: number) {
    this.plane = plane;
    this.#etcdPort = etcdPort;
    this.direct = createTransport({ kubeconfigPath: plane.kubeconfigPath, userAgent: 'robotgc-test' });
  }

  static async start(): Promise<ApiRig> {
    const [apiserver = 0, etcdClient = 0, etcdPeer = 0] = await freePorts(3);
    const plane = await startControlPlane({ ports: { apiserver, etcdClient, etcdPeer } });
    return new ApiRig(plane, etcdClient);
  }

  async proxied(): Promise<ProxiedClient> {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: this.plane.apiserver.port });
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(this.plane.kubeconfigPath);
    kubeConfig.clusters = kubeConfig.clusters.map((cluster) => ({
      ...cluster,
      server: `https://127.0.0.1:${proxy.port}`,
    }));
    const calls: CallMetric[] = [];
    const transport = createTransport({
      kubeConfig,
      userAgent: 'robotgc-test',
      onCall: (metric) => calls.push(metric),
    });
    const close = async (): Promise<void> => {
      await transport.close();
      await proxy.stop();
    };
    const client = { proxy, transport, calls, close };
    this.#clients.push(client);
    return client;
  }

  /** Drops history in etcd up to now: what reads an older version is told that it is gone. */
  async compact(revision: string): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.#etcdPort}/v3/kv/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision, physical: true }),
    });
    if (!response.ok) throw new Error(`etcd refused to compact: ${response.status} ${await response.text()}`);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.direct.close();
    await this.plane.stop();
  }
}
