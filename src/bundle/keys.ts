import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { BundleError } from './types.ts';

/**
 * A fresh ed25519 pair as PEM: PKCS#8 private, SPKI public, as `openssl genpkey -algorithm ed25519` writes them.
 */
export function generateKeyPair(): { privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** @throws BundleError `signature-invalid` when the text is no ed25519 private key */
export function privateKeyFromPem(pem: string): KeyObject {
  return ed25519(() => createPrivateKey(pem), 'private');
}

/** Also accepts a private key and takes its public half. @throws BundleError `signature-invalid` */
export function publicKeyFromPem(pem: string): KeyObject {
  return ed25519(() => createPublicKey(pem), 'public');
}

function ed25519(parse: () => KeyObject, half: string): KeyObject {
  let key: KeyObject;
  try {
    key = parse();
  } catch (cause) {
    throw new BundleError('signature-invalid', `this is not a ${half} key in PEM form`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new BundleError(
      'signature-invalid',
      `the ${half} key is of type ${key.asymmetricKeyType}; bundles are signed with ed25519`,
    );
  }
  return key;
}
