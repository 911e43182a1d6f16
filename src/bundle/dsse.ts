import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import { BundleError } from './types.ts';

/*
 * Dead Simple Signing Envelope 1.0 (secure-systems-lab/dsse, envelope.md and protocol.md): the signature covers
 * PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, so neither type nor body can be reinterpreted.
 */
const envelopeSchema = z.object({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z
    .array(z.object({ keyid: z.string().optional(), sig: z.base64() }))
    .min(1)
    .max(16),
});

export interface OpenedEnvelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly { readonly keyid?: string | undefined; readonly sig: Buffer }[];
}

/** sha256, in hex, of the public key's SPKI DER: what `openssl pkey -pubin -outform DER | sha256sum` prints. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `),
    payload,
  ]);
}

/** @returns the envelope as JSON text; ed25519 is deterministic, so the same input gives the same text */
export function sealEnvelope(payloadType: string, payload: Uint8Array, privateKey: KeyObject): string {
  const sig = sign(null, preAuthEncoding(payloadType, payload), privateKey);
  return canonicalJson({
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: keyId(privateKey), sig: sig.toString('base64') }],
  });
}

/** Parses without judging the signatures. @throws BundleError `attestation-invalid` */
export function openEnvelope(text: string): OpenedEnvelope {
  try {
    const { payloadType, payload, signatures } = envelopeSchema.parse(JSON.parse(text));
    return {
      payloadType,
      payload: Buffer.from(payload, 'base64'),
      signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: Buffer.from(sig, 'base64') })),
    };
  } catch (cause) {
    throw new BundleError('attestation-invalid', 'the attestation is not a DSSE envelope', { cause });
  }
}

/** Whether any signature is that of this key; key ids are hints only (protocol.md). */
export function signedBy(envelope: OpenedEnvelope, publicKey: KeyObject): boolean {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  return envelope.signatures.some(({ sig }) => verify(null, message, publicKey, sig));
}
