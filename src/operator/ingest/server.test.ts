import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, type Transport } from '../../kube/index.ts';
import { windowAt } from '../incidents/testing.ts';
import { OperatorMetrics } from '../metrics.ts';
import { SignalStore } from '../signals.ts';
import { Authenticator } from './authenticate.ts';
import { Incoming } from './incoming.ts';
import { createIngestServer } from './server.ts';

const agentUser = 'system:serviceaccount:robotgc:robotgc-agent';
/** Stands in for the API server's answer to a TokenReview alone; the real one answers in the whole-cluster test. */
const fakeTokenReviewer = {
  json: async ({ body }: { body: { spec: { token: string } } }) => ({
    status:
      body.spec.token === 'good'
        ? { authenticated: true, audiences: ['robotgc-operator'], user: { username: agentUser } }
        : body.spec.token === 'other'
          ? { authenticated: true, audiences: ['robotgc-operator'], user: { username: 'someone' } }
          : { authenticated: false },
  }),
} as unknown as Transport;

let folder: string;
let server: Server;
let url: string;
let leading: boolean;
let signals: SignalStore;
let delivered: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'robotgc-ingest-'));
  const incoming = new Incoming(folder);
  await incoming.open();
  leading = true;
  signals = new SignalStore();
  delivered = [];
  server = createIngestServer(
    {
      identity: 'operator-1',
      isLeader: () => leading,
      authenticator: new Authenticator(fakeTokenReviewer, agentUser),
      signals,
      incoming,
      expects: (_, incident) => (incident === 'known' ? 'yes' : incident === 'served' ? 'has-one' : 'unknown'),
      onBundle: (namespace, incident) => delivered.push(`${namespace}/${incident}`),
      publicKeyPem: 'PEM',
      metrics: new OperatorMetrics(),
      log: silentLog,
    },
    undefined,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    body,
    headers: { authorization: 'Bearer good', ...headers },
  });
}

function digestOf(body: Uint8Array): Record<string, string> {
  return { 'content-digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:` };
}

describe("the agents' door", () => {
  it('takes windows from the agent', async () => {
    const body = [windowAt(1000, 0.1, 100), windowAt(2000, 0.1, 100)].map((w) => JSON.stringify(w)).join('\n');
    const response = await post('/v1/windows', body);
    expect(response.status).toBe(204);
    expect(response.headers.get('robotgc-leader')).toBe('operator-1');
    expect(signals.latest('pod-uid', 'robot')?.seq).toBe(2);
  });

  it.each([
    ['no token', {}],
    ['a token that is not valid', { authorization: 'Bearer bad' }],
    ['the token of someone else', { authorization: 'Bearer other' }],
    ['a token with line breaks', { authorization: 'Basic x' }],
  ])('refuses %s', async (_, headers) => {
    const response = await fetch(`${url}/v1/windows`, { method: 'POST', body: '', headers });
    expect(response.status).toBe(401);
  });

  it('sends the agent on to the leader', async () => {
    leading = false;
    const response = await post('/v1/windows', '');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'not-leader' });
  });

  it.each(['not json', '{"seq": 1}', '[]', `${JSON.stringify(windowAt(0, 0.1, 1))}\n{`])(
    'refuses windows such as %j without keeping any',
    async (body) => {
      expect((await post('/v1/windows', body)).status).toBe(400);
      expect(signals.containers).toBe(0);
    },
  );

  it('refuses a body without end', async () => {
    const response = await post('/v1/windows', 'x'.repeat(17 * 2 ** 20)).catch(() => undefined);
    if (response) expect(response.status).toBe(400);
    expect(signals.containers).toBe(0);
  });

  it('acknowledges a bundle by its digest once it is on disk', async () => {
    const body = new Uint8Array(100_000).fill(7);
    const response = await post('/v1/bundles/robots/known', body, digestOf(body));
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ sha256: createHash('sha256').update(body).digest('hex') });
    expect(await readdir(folder)).toEqual(['robots_known.tar.gz']);
    expect(delivered).toEqual(['robots/known']);
  });

  it('acknowledges a bundle again that it had already sealed, and keeps no second copy', async () => {
    const body = new Uint8Array(10);
    expect((await post('/v1/bundles/robots/served', body, digestOf(body))).status).toBe(201);
    expect(await readdir(folder)).toEqual([]);
    expect(delivered).toEqual([]);
  });

  it.each([
    ['for an incident that does not exist', '/v1/bundles/robots/nothing', {}, 404],
    ['without a digest', '/v1/bundles/robots/known', {}, 400],
    ['with another digest', '/v1/bundles/robots/known', digestOf(new Uint8Array(1)), 422],
  ])('refuses a bundle %s and leaves nothing on disk', async (_, path, headers, status) => {
    const response = await post(path, new Uint8Array(10), headers);
    expect(response.status).toBe(status);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['/', '/v1/bundles/../../etc/passwd', '/v1/bundles/a', '/metrics'])('has nothing at %s', async (path) => {
    expect((await post(path, '')).status).toBe(404);
  });

  it('hands out the public key to anyone', async () => {
    expect(await (await fetch(`${url}/v1/signing-key.pem`)).text()).toBe('PEM');
  });
});
