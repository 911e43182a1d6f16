import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBinaries } from './binaries.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { rssBytesOf, startTicksOf } from './processes.ts';
import { statusOf } from './ready.ts';
import { run } from './run.ts';

describe('the bare control plane', () => {
  let plane: ControlPlane;
  let kubectl: (...args: string[]) => Promise<string>;

  beforeAll(async () => {
    plane = await startControlPlane();
    const { kubectl: path } = await ensureBinaries(['kubectl']);
    kubectl = async (...args) => (await run([path, '--kubeconfig', plane.kubeconfigPath, ...args])).stdout;
  });
  afterAll(() => plane.stop());

  it('serves the version that go.mod names, to the admin', async () => {
    const { clientVersion, serverVersion } = JSON.parse(await kubectl('version', '-o', 'json'));
    expect(serverVersion.gitVersion).toMatch(/^v1\.\d+\.\d+$/);
    expect(serverVersion.gitVersion).toBe(clientVersion.gitVersion);
    expect(await kubectl('auth', 'can-i', '*', '*')).toContain('yes');
  });

  it('refuses who has no certificate', async () => {
    expect(await statusOf(`${plane.adminUrl}/api/v1/namespaces`, { ca: plane.ca })).toBe(403);
    expect(await statusOf(`${plane.adminUrl}/readyz`, { ca: plane.ca })).toBe(200);
  });

  it('keeps port and data over a crash of the API server', async () => {
    await kubectl('create', 'configmap', 'kept', '--from-literal=a=b');
    const before = plane.apiserver.pid;
    await plane.apiserver.restart('SIGKILL');
    expect(plane.apiserver.pid).not.toBe(before);
    expect(await kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}')).toBe('b');
  });

  it('two at a time do not meet, and a stopped one leaves nothing', async () => {
    const second = await startControlPlane();
    const pid = second.apiserver.pid;
    expect(second.adminUrl).not.toBe(plane.adminUrl);
    expect(rssBytesOf(pid)).toBeGreaterThan(50 * 1024 * 1024);
    await second.stop();
    expect(startTicksOf(pid)).toBeUndefined();
    expect(existsSync(second.dir)).toBe(false);
    expect(plane.apiserver.pid).toBeGreaterThan(0);
  });
});
