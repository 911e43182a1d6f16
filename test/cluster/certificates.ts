import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

/** The cluster's own certificates, made with openssl: one authority, EC P-256 keys, good for a year. */
export interface Authority {
  readonly dir: string;
  readonly certPath: string;
  readonly keyPath: string;
}

export interface KeyPair {
  readonly certPath: string;
  readonly keyPath: string;
}

export interface LeafRequest {
  /** File name, and the user name that Kubernetes reads from the certificate unless `commonName` says otherwise. */
  readonly name: string;
  readonly commonName?: string;
  /** Kubernetes groups. */
  readonly organizations?: readonly string[];
  /** `IP:…` and `DNS:…` entries; a certificate with some may be used by a server. */
  readonly altNames?: readonly string[];
}

// Debian's openssl.cnf would add extensions of its own, so the commands use this empty configuration instead.
const config = '[req]\ndistinguished_name = dn\nprompt = no\n[dn]\n';
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-sha256', '-days', '365'];

export async function createAuthority(dir: string): Promise<Authority> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(join(dir, 'openssl.cnf'), config);
  const authority = { dir, ...pairOf(dir, 'ca') };
  await run([
    ...[
      'openssl',
      'req',
      '-x509',
      '-config',
      join(dir, 'openssl.cnf'),
      ...newKey,
      '-subj',
      '/CN=robotgc-local-cluster',
    ],
    ...[
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
    ],
    ...['-addext', 'subjectKeyIdentifier=hash', '-keyout', authority.keyPath, '-out', authority.certPath],
  ]);
  return authority;
}

export async function issue(authority: Authority, request: LeafRequest): Promise<KeyPair> {
  const pair = pairOf(authority.dir, request.name);
  await run([
    ...['openssl', 'req', '-x509', '-CA', authority.certPath, '-CAkey', authority.keyPath],
    ...['-config', join(authority.dir, 'openssl.cnf'), ...newKey, '-subj', subjectOf(request)],
    ...extensionsOf(request).flatMap((extension) => ['-addext', extension]),
    ...['-keyout', pair.keyPath, '-out', pair.certPath],
  ]);
  return pair;
}

export function pairOf(dir: string, name: string): KeyPair {
  return { certPath: join(dir, `${name}.crt`), keyPath: join(dir, `${name}.key`) };
}

/** The key that signs service account tokens. */
export async function createServiceAccountKey(dir: string): Promise<{ privatePath: string; publicPath: string }> {
  const privatePath = join(dir, 'service-account.key');
  const publicPath = join(dir, 'service-account.pub');
  await run(['openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', privatePath]);
  await run(['openssl', 'ec', '-in', privatePath, '-pubout', '-out', publicPath]);
  return { privatePath, publicPath };
}

/** A kubeconfig that carries everything inside, so that the file can be moved. */
export async function renderKubeconfig(server: string, authority: Authority, client: KeyPair): Promise<string> {
  const [ca, cert, key] = await Promise.all(
    [authority.certPath, client.certPath, client.keyPath].map(async (path) =>
      (await readFile(path)).toString('base64'),
    ),
  );
  return `apiVersion: v1
kind: Config
clusters:
- name: robotgc
  cluster: {server: "${server}", certificate-authority-data: ${ca}}
users:
- name: robotgc
  user: {client-certificate-data: ${cert}, client-key-data: ${key}}
contexts:
- name: robotgc
  context: {cluster: robotgc, user: robotgc}
current-context: robotgc
`;
}

/** The same credentials for a server that is reached at another address. */
export function withServer(kubeconfig: string, server: string): string {
  return kubeconfig.replace(/server: "[^"]*"/, `server: "${server}"`);
}

export function subjectOf(request: LeafRequest): string {
  const organizations = (request.organizations ?? []).map((organization) => `/O=${organization}`);
  return `${organizations.join('')}/CN=${request.commonName ?? request.name}`;
}

export function extensionsOf(request: LeafRequest): readonly string[] {
  const altNames = request.altNames ?? [];
  return [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature,keyEncipherment',
    `extendedKeyUsage=clientAuth${altNames.length > 0 ? ',serverAuth' : ''}`,
    ...(altNames.length > 0 ? [`subjectAltName=${altNames.join(',')}`] : []),
  ];
}
