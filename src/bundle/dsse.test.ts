import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyId, openEnvelope, preAuthEncoding, sealEnvelope, signedBy } from './dsse.ts';
import { generateKeyPair, privateKeyFromPem, publicKeyFromPem } from './keys.ts';
import { readBundle } from './read.ts';
import { entries, manifestInput, temporaryFolder } from './test-support.ts';
import { writeBundle } from './write.ts';

const { privatePem, publicPem } = generateKeyPair();
const privateKey = privateKeyFromPem(privatePem);
const publicKey = publicKeyFromPem(publicPem);
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

describe('DSSE envelope', () => {
  it('encodes the example of the specification', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(encoded.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('is signed and opened for any payload, and only for that payload and key', () => {
    const other = publicKeyFromPem(generateKeyPair().publicPem);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.string(), (payload, type) => {
        const envelope = openEnvelope(sealEnvelope(type, payload, privateKey));
        expect([...envelope.payload]).toEqual([...payload]);
        expect(envelope.payloadType).toBe(type);
        expect(signedBy(envelope, publicKey)).toBe(true);
        expect(signedBy(envelope, other)).toBe(false);
        expect(signedBy({ ...envelope, payloadType: `${type}x` }, publicKey)).toBe(false);
        expect(signedBy({ ...envelope, payload: Buffer.concat([envelope.payload, Buffer.from('x')]) }, publicKey)).toBe(
          false,
        );
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    '',
    'null',
    '[]',
    '{"payloadType":"x","payload":"a","signatures":[]}',
    '{"payloadType":"x","payload":"%%","signatures":[{"sig":""}]}',
  ])('refuses %j', (text) => {
    expect(() => openEnvelope(text)).toThrow(expect.objectContaining({ code: 'attestation-invalid' }));
  });

  it('takes a signature of the wrong length for a wrong signature', () => {
    const envelope = openEnvelope(sealEnvelope('t', Buffer.from('x'), privateKey));
    expect(signedBy({ ...envelope, signatures: [{ sig: Buffer.alloc(3) }] }, publicKey)).toBe(false);
  });
});

describe('openssl agrees', () => {
  it('on the signature of a bundle, made and checked from the files alone', async () => {
    using folder = temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    const { file } = await writeBundle(entries, manifestInput, { file: at('bundle'), sign: { privateKey } });
    const { attestation = '' } = await readBundle(file);
    const envelope = openEnvelope(attestation);
    writeFileSync(at('pub.pem'), publicPem);
    writeFileSync(at('message'), preAuthEncoding(envelope.payloadType, envelope.payload));
    writeFileSync(at('signature'), envelope.signatures[0]?.sig ?? '');
    const verify = [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      at('pub.pem'),
      '-rawin',
      '-in',
      at('message'),
      '-sigfile',
      at('signature'),
    ];
    expect(openssl(...verify).toString()).toContain('Signature Verified Successfully');
    writeFileSync(
      at('message'),
      preAuthEncoding(envelope.payloadType, Buffer.concat([envelope.payload, Buffer.from(' ')])),
    );
    expect(() => openssl(...verify)).toThrow();
  });

  it('on keys: its own are read, ours are read by it, the key id is the digest of the DER', () => {
    using folder = temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    openssl('genpkey', '-algorithm', 'ed25519', '-out', at('theirs.pem'));
    const theirPublic = openssl('pkey', '-in', at('theirs.pem'), '-pubout').toString();
    const theirPrivate = openssl('pkey', '-in', at('theirs.pem')).toString();
    expect(keyId(privateKeyFromPem(theirPrivate))).toBe(keyId(publicKeyFromPem(theirPublic)));

    writeFileSync(at('pub.pem'), publicPem);
    openssl('pkey', '-pubin', '-in', at('pub.pem'), '-outform', 'DER', '-out', at('pub.der'));
    expect(openssl('dgst', '-sha256', '-r', at('pub.der')).toString().slice(0, 64)).toBe(keyId(publicKey));
  });

  it('that another kind of key is no ed25519 key', () => {
    using folder = temporaryFolder();
    const pem = join(folder.path, 'ec.pem');
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', pem);
    const ec = openssl('pkey', '-in', pem).toString();
    expect(() => privateKeyFromPem(ec)).toThrow(
      expect.objectContaining({ code: 'signature-invalid', message: expect.stringContaining('ed25519') }),
    );
    expect(() => publicKeyFromPem('')).toThrow(expect.objectContaining({ code: 'signature-invalid' }));
  });
});
