/**
 * bundle: the incident bundle, a deterministic tar.gz with a manifest, signed and chained; the stores that keep it,
 * the outbox that holds it until it is acknowledged, and the transfer between agent and operator.
 * An I/O room: imports node's fs, zlib, crypto and http only. Promises that whatever bytes it reads, it either
 * returns a bundle whose every file matches its manifest or throws a BundleError that says what is wrong.
 */
export { atomicFile, removePartials } from './atomic-file.ts';
export { type ChainExpectation, type ChainLink, chainLink, verifyChain } from './chain.ts';
export { keyId } from './dsse.ts';
export { generateKeyPair, privateKeyFromPem, publicKeyFromPem } from './keys.ts';
export { type Manifest, type ManifestFile, type ManifestInput, manifestSchema } from './manifest.ts';
export { Outbox, type OutboxItem, type OutboxMeta } from './outbox.ts';
export { readBundle } from './read.ts';
export { type ReceivedBundle, type ReceiveLimits, receiveBundle, TransferError } from './receive.ts';
export { redact, redactedYaml } from './redact.ts';
export { type SealInput, seal } from './seal.ts';
export { type BundleStore, type ChainState, type StoredBundle, StoreError } from './store.ts';
export { FolderStore } from './store-folder.ts';
export * from './types.ts';
export { type UploadRequest, uploadBundle } from './upload.ts';
export { verifyBundle } from './verify.ts';
export { type WriteOptions, writeBundle } from './write.ts';
