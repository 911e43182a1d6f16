import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { binaryNames, goModules, programsOf, versionFlags } from './binaries.ts';
import { extensionsOf, renderKubeconfig, subjectOf, withServer } from './certificates.ts';
import { cniConfig, containerdConfig } from './containerd.ts';
import { apiserverFlags, etcdFlags } from './control-plane-flags.ts';
import { corefile, dnsObjects } from './dns.ts';
import { ClusterError } from './errors.ts';
import { kubeProxyConfig } from './kube-proxy.ts';
import { clusterEnv } from './kubectl.ts';
import { kubeletConfig } from './kubelet.ts';
import { networkOf } from './network.ts';
import { daemonEnv, inCgroups } from './node.ts';
import { binariesSourceDir, cacheRoot, clustersRoot } from './paths.ts';
import { pathsOf } from './state.ts';

const pair = (name: string) => ({ certPath: `/pki/${name}.crt`, keyPath: `/pki/${name}.key` });
const authority = { dir: '/pki', ...pair('ca') };

describe('programs', () => {
  it('each belongs to exactly one module', () => {
    expect(goModules.flatMap(programsOf).sort()).toEqual([...binaryNames].sort());
  });

  it('Kubernetes programs report the version that go.mod requires', async () => {
    const goMod = await readFile(join(binariesSourceDir, 'kubernetes/go.mod'), 'utf8');
    const required = /k8s\.io\/kubernetes (v\S+)/.exec(goMod)?.[1];
    const flags = versionFlags(goMod, { module: 'k8s.io/kubernetes', packages: ['a/version'] });
    expect(flags).toContain(`-X a/version.gitVersion=${required}`);
    expect(flags).toContain(`-X a/version.gitMinor=${required?.split('.')[1]}`);
  });

  it('replaces every staging module by the release that fits', async () => {
    const goMod = await readFile(join(binariesSourceDir, 'kubernetes/go.mod'), 'utf8');
    const release = /k8s\.io\/kubernetes v1\.(\S+)/.exec(goMod)?.[1];
    const replaced = [...goMod.matchAll(/=> k8s\.io\/\S+ (\S+)/g)].map((match) => match[1]);
    expect(replaced.length).toBeGreaterThan(25);
    expect(new Set(replaced)).toEqual(new Set([`v0.${release}`]));
  });
});

describe('paths', () => {
  it('follow the XDG directories, else the home directory', () => {
    expect(cacheRoot({ XDG_CACHE_HOME: '/c' })).toBe('/c/robotgc/cluster');
    expect(clustersRoot({ XDG_STATE_HOME: '/s' })).toBe('/s/robotgc/clusters');
    expect(cacheRoot({})).toMatch(/\/\.cache\/robotgc\/cluster$/);
  });

  it.each(['a', 'default', 'two-words', 'x'.repeat(20)])('accept the name %s', (name) => {
    expect(pathsOf(name, '/s').dir).toBe(`/s/${name}`);
  });

  it.each(['', '-a', 'a-', 'A', '../x', 'a/b', 'a b', 'x'.repeat(21)])('refuse the name %j', (name) => {
    expect(() => pathsOf(name, '/s')).toThrow(ClusterError);
  });
});

describe('certificates', () => {
  it('carry user and groups as Kubernetes reads them', () => {
    expect(subjectOf({ name: 'kubelet', commonName: 'system:node:n', organizations: ['system:nodes'] })).toBe(
      '/O=system:nodes/CN=system:node:n',
    );
  });

  it('serve only when they name an address', () => {
    expect(extensionsOf({ name: 'a' })).toContain('extendedKeyUsage=clientAuth');
    expect(extensionsOf({ name: 'a', altNames: ['IP:127.0.0.1'] })).toEqual(
      expect.arrayContaining(['extendedKeyUsage=clientAuth,serverAuth', 'subjectAltName=IP:127.0.0.1']),
    );
  });
});

describe('a kubeconfig', () => {
  it('for another address of the same server holds the same credentials', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'robotgc-kubeconfig-'));
    try {
      const path = join(folder, 'pem');
      await writeFile(path, 'pem');
      const keys = { dir: folder, certPath: path, keyPath: path };
      const inside = await renderKubeconfig('https://10.245.0.2:6443', keys, keys);
      const outside = await renderKubeconfig('https://127.0.0.1:1234', keys, keys);
      expect(withServer(inside, 'https://127.0.0.1:1234')).toBe(outside);
      expect(parse(outside).clusters[0].cluster.server).toBe('https://127.0.0.1:1234');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('configuration', () => {
  const network = networkOf(3);

  it('cluster DNS listens on the node and asks nobody else', () => {
    const text = corefile(network, '/conf/dns.kubeconfig');
    expect(text).toContain('bind 10.245.3.2');
    expect(text).not.toMatch(/forward|proxy/);
    expect(dnsObjects(network)).toContainEqual(
      expect.objectContaining({ kind: 'Service', spec: expect.objectContaining({ clusterIP: '10.99.0.10' }) }),
    );
  });

  it('etcd listens on the given address only', () => {
    const flags = etcdFlags({ dataDir: '/d', address: '127.0.0.1', clientPort: 1, peerPort: 2 });
    const urls = flags.filter((flag) => flag.includes('-urls='));
    expect(urls).toHaveLength(4);
    for (const url of urls) expect(url).toMatch(/=http:\/\/127\.0\.0\.1:[12]$/);
  });

  it('the API server has RBAC, and talks to a kubelet only where there is one', () => {
    const settings = {
      address: network.nodeIp,
      port: 6443,
      etcd: 'http://127.0.0.1:2379',
      authority,
      serving: pair('apiserver'),
      serviceAccountKey: { privatePath: '/pki/sa.key', publicPath: '/pki/sa.pub' },
      serviceCidr: network.serviceCidr,
      authorizationModes: ['Node', 'RBAC'],
    };
    const bare = apiserverFlags(settings);
    expect(bare).toContain('--authorization-mode=Node,RBAC');
    expect(bare).toContain('--service-cluster-ip-range=10.99.0.0/16');
    expect(bare.some((flag) => flag.startsWith('--kubelet'))).toBe(false);
    expect(apiserverFlags({ ...settings, kubeletClient: pair('k') })).toContain('--kubelet-client-key=/pki/k.key');
  });

  it('the kubelet stays below the cluster’s own cgroup and leaves the machine’s settings alone', () => {
    const config = JSON.parse(
      kubeletConfig({
        network,
        authority,
        serving: pair('kubelet'),
        cgroupRoot: '/robotgc/x',
        resolvConf: '/conf/resolv.conf',
        volumePluginDir: '/conf/plugins',
      }),
    );
    expect(config).toMatchObject({
      cgroupRoot: '/robotgc/x',
      cgroupDriver: 'cgroupfs',
      enforceNodeAllocatable: [],
      failCgroupV1: false,
      makeIPTablesUtilChains: false,
      address: '10.245.3.2',
      clusterDNS: ['10.99.0.10'],
    });
  });

  it('the proxy leaves the machine’s connection table alone', () => {
    const config = JSON.parse(kubeProxyConfig(network, 'n', '/k'));
    expect(config).toMatchObject({
      mode: 'iptables',
      conntrack: { maxPerCore: 0, min: 0 },
      clusterCIDR: '10.163.0.0/24',
    });
  });

  it('pods get addresses of the cluster’s own range', () => {
    const [ptp] = JSON.parse(cniConfig(network, '/cni')).plugins;
    expect(ptp).toMatchObject({ type: 'ptp', ipMasq: false, ipam: { ranges: [[{ subnet: '10.163.0.0/24' }]] } });
  });

  it('containerd uses the local pause image and survives without CAP_SYS_RESOURCE', () => {
    const config = containerdConfig({ root: '/c', cniConfDir: '/conf/cni', cniBinDir: '/usr/lib/cni' });
    expect(config).toContain("sandbox = 'robotgc.dev/pause:local'");
    expect(config).toContain('restrict_oom_score_adj = true');
  });
});

describe('environments and commands', () => {
  it('no proxy setting reaches the cluster’s programs or its clients', () => {
    process.env.HTTPS_PROXY = 'http://proxy.invalid:1';
    try {
      expect(daemonEnv()).not.toHaveProperty('HTTPS_PROXY');
      expect(clusterEnv('/k')).not.toHaveProperty('HTTPS_PROXY');
      expect(clusterEnv('/k').KUBECONFIG).toBe('/k');
    } finally {
      delete process.env.HTTPS_PROXY;
    }
  });

  it('a program enters its cgroups before it starts, arguments untouched', () => {
    const [shell, flag, script, name, ...rest] = inCgroups(['/a/cgroup.procs', '/b/cgroup.procs'], ['x', 'a b', '$c']);
    expect([shell, flag, name]).toEqual(['sh', '-c', 'sh']);
    expect(script).toBe(`echo $$ > '/a/cgroup.procs' && echo $$ > '/b/cgroup.procs' && exec "$@"`);
    expect(rest).toEqual(['x', 'a b', '$c']);
  });
});
