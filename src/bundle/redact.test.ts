import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { redact, redacted, redactedYaml } from './redact.ts';

const env = (name: string, value: string) => ({ spec: { containers: [{ name: 'robot', env: [{ name, value }] }] } });
const envValue = (name: string, value: string) => redact(env(name, value));

describe('redact: environment', () => {
  it.each([
    'PASSWORD',
    'DB_PASSWORD',
    'dbPasswd',
    'PASSPHRASE',
    'SECRET',
    'clientSecret',
    'API_KEY',
    'apikey',
    'AWS_SECRET_ACCESS_KEY',
    'ACCESS_KEY_ID',
    'GITHUB_TOKEN',
    'token',
    'AUTH',
    'BASIC_AUTH',
    'AUTHORIZATION',
    'JWT',
    'SENTRY_DSN',
    'DB_PWD',
    'SESSION_COOKIE',
    'HASH_SALT',
    'SIGNING_KEY',
    'PRIVATE_KEY',
    'TLS_KEY',
    'key',
    'TLS_CERT',
    'CONNECTION_STRING',
    'DATABASE_URL',
    'SLACK_WEBHOOK',
    'CREDENTIALS',
    'MYSQL_ROOT_PW',
  ])('hides the value of %s', (name) => {
    expect(envValue(name, 'hunter2')).toEqual(env(name, redacted));
  });

  it.each([
    'GOGC',
    'GOMEMLIMIT',
    'GOMAXPROCS',
    'PORT',
    'LOG_LEVEL',
    'KEYBOARD',
    'MONKEY',
    'AUTHOR',
    'PINNED',
    'HOSTNAME',
    'POD_NAME',
    'CERTAIN',
  ])('keeps the value of %s', (name) => {
    expect(envValue(name, '100')).toEqual(env(name, '100'));
  });

  it.each([
    ['a URL with a password', 'postgres://robot:hunter2@db:5432/x', `postgres://robot:${redacted}@db:5432/x`],
    ['a JSON Web Token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl', redacted],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', redacted],
    ['an AWS key', 'AKIAIOSFODNN7EXAMPLE', redacted],
    ['a header', 'Bearer abcdef', redacted],
    ['a plain URL', 'http://db:5432/x', 'http://db:5432/x'],
    ['an empty value', '', ''],
  ])('knows %s by its form', (_what, value, shown) => {
    expect(envValue('PLAIN', value)).toEqual(env('PLAIN', shown));
  });

  it('keeps references, which are names and not secrets', () => {
    const pod = {
      spec: {
        imagePullSecrets: [{ name: 'registry-secret' }],
        serviceAccountName: 'robot',
        containers: [
          {
            env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'robot-token', key: 'token' } } }],
            envFrom: [{ secretRef: { name: 'all-secrets' } }],
          },
        ],
        volumes: [{ name: 'tokens', secret: { secretName: 'robot-token' } }],
      },
    };
    expect(redact(pod)).toEqual(pod);
  });
});

describe('redact: elsewhere', () => {
  it.each<[string, string[], string[]]>([
    ['--flag=value', ['serve', '--api-token=abc', '--port=80'], ['serve', `--api-token=${redacted}`, '--port=80']],
    ['--flag value', ['--password', 'abc', '--port', '80'], ['--password', redacted, '--port', '80']],
    ['-flag followed by another', ['-password', '--port=80'], ['-password', '--port=80']],
    [
      'a shell line',
      ['-c', 'export DB_PASSWORD=abc; serve --secret="x y" --port=80'],
      ['-c', `export DB_PASSWORD=${redacted}; serve --secret=${redacted} --port=80`],
    ],
    ['a URL', ['amqp://u:p@mq'], [`amqp://u:${redacted}@mq`]],
  ])('hides %s on a command line', (_what, args, shown) => {
    expect(redact({ containers: [{ args, command: args }] })).toEqual({
      containers: [{ args: shown, command: shown }],
    });
  });

  it('hides headers of probes, volume attributes and annotations by their names', () => {
    const probe = (value: string) => ({
      livenessProbe: {
        httpGet: {
          path: '/',
          httpHeaders: [
            { name: 'Authorization', value },
            { name: 'X-Id', value: '7' },
          ],
        },
      },
    });
    expect(redact(probe('x'))).toEqual(probe(redacted));
    const volume = (value: string) => ({ csi: { driver: 'd', volumeAttributes: { accessToken: value, size: '1' } } });
    expect(redact(volume('x'))).toEqual(volume(redacted));
  });

  it('drops the copies of the manifest that tools leave in annotations, and managedFields', () => {
    const copy = JSON.stringify({ spec: { containers: [{ env: [{ name: 'TOKEN', value: 'abc' }] }] } });
    const metadata = {
      name: 'x',
      managedFields: [{ manager: 'kubectl' }],
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': copy,
        'tool.example/template': copy,
        'robotgc.dev/applied': 'GOGC=100',
      },
    };
    expect(redact({ metadata })).toEqual({
      metadata: { name: 'x', annotations: { 'tool.example/template': redacted, 'robotgc.dev/applied': 'GOGC=100' } },
    });
  });

  it("hides a Secret's data, whatever its keys", () => {
    expect(redact({ kind: 'Secret', data: { a: 'YQ==' }, stringData: { b: 'b' } })).toEqual({
      kind: 'Secret',
      data: { a: redacted },
      stringData: { b: redacted },
    });
  });

  it('reaches templates of owners, init and ephemeral containers', () => {
    const owner = (value: string) => ({
      kind: 'Deployment',
      spec: {
        template: {
          spec: {
            initContainers: [{ env: [{ name: 'TOKEN', value }] }],
            ephemeralContainers: [{ env: [{ name: 'TOKEN', value }] }],
          },
        },
      },
    });
    expect(redact(owner('abc'))).toEqual(owner(redacted));
  });
});

describe('redact: promises', () => {
  it('never lets a secret through, wherever in the object its variable stands, and changes nothing it was given', () => {
    const anywhere = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constant({ env: [{ name: 'API_TOKEN', value: 'hunter2-secret' }] }),
        fc.constant({ args: ['--password=hunter2-secret'] }),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('spec', 'template', 'containers', 'items', 'x'), tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(anywhere, (object) => {
        const before = JSON.stringify(object);
        expect(redactedYaml(object)).not.toContain('hunter2');
        expect(JSON.stringify(object)).toBe(before);
      }),
    );
  });

  it('keeps any object without secrets as it is, and is stable', () => {
    const plain = fc
      .jsonValue({ noUnicodeString: true })
      .filter(
        (value) =>
          !/[:=]|BEGIN|ey|asic|earer|env|args|command|metadata|annotations/i.test(
            JSON.stringify(Object.keys(Object(value))),
          ),
      );
    fc.assert(
      fc.property(plain, (value) => {
        expect(redact(redact(value))).toEqual(redact(value));
      }),
    );
  });

  it('writes the same YAML for the same object, readable as such', () => {
    const text = redactedYaml({ b: 1, a: { d: 'x', c: ['y'] } });
    expect(text).toBe(redactedYaml({ a: { c: ['y'], d: 'x' }, b: 1 }));
    expect(parse(text)).toEqual({ a: { c: ['y'], d: 'x' }, b: 1 });
  });
});
