import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { GzipTrailer, gzipHeader } from './gzip-frame.ts';
import type { ManifestInput } from './manifest.ts';
import type { BundleEntry } from './types.ts';
import { encodeHeader, endOfArchive, paddingBytes } from './ustar.ts';

/** A folder that is gone when the test is. */
export function temporaryFolder(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'robotgc-bundle-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export const manifestInput: ManifestInput = {
  incident: { namespace: 'robots', name: 'dispatch-7f3a', uid: '0b7d9c1e-52a4-4a53-b0f4-2f9d4b6f7d10' },
  policy: { sla: { latencyP99: '200ms', gcShareOfLatency: '15%' }, actions: { mode: 'Auto' } },
  createdAt: '2026-03-01T10:00:00.000Z',
  node: 'worker-1',
  tools: { robotgc: '0.1.0', go: 'go1.26.8' },
};

export const entries: readonly BundleEntry[] = [
  {
    path: 'signals.ndjson',
    content: Buffer.from('{"type":"window","gcCpuShare":0.11}\n{"type":"window","gcCpuShare":0.14}\n'),
    source: 'windows of the agent',
    windowStart: '2026-03-01T09:50:00.000Z',
    windowEnd: '2026-03-01T10:00:00.000Z',
  },
  {
    path: 'profiles/cpu.pprof',
    content: Buffer.from([0x1f, 0x8b, 1, 2, 3]),
    source: 'GET /debug/pprof/profile?seconds=10',
  },
  { path: 'profiles/empty.txt', content: new Uint8Array(0), source: 'nothing' },
  { path: 'snapshots/cgroup.json', content: Buffer.alloc(512, 0x20), source: '/sys/fs/cgroup' },
];

/** gzip exactly as the writer frames it. */
export function gzip(data: Uint8Array): Buffer {
  const trailer = new GzipTrailer();
  trailer.update(data);
  return Buffer.concat([gzipHeader, deflateRawSync(data), trailer.bytes()]);
}

/** A tar with the given header blocks and contents, as an attacker would build it. */
export function tarOf(files: readonly { header: Buffer; content: Uint8Array }[], end: Buffer = endOfArchive): Buffer {
  const parts = files.flatMap(({ header, content }) => [header, content, Buffer.alloc(paddingBytes(content.length))]);
  return Buffer.concat([...parts, end]);
}

/** A canonical file of an archive. */
export function file(path: string, content: Uint8Array = Buffer.from(path)): { header: Buffer; content: Uint8Array } {
  return { header: encodeHeader({ path, sizeBytes: content.length }), content };
}

/** Overwrites a field of a header and makes its checksum right again. */
export function patched(header: Buffer, at: number, text: string | Uint8Array): Buffer {
  const block = Buffer.from(header);
  block.set(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, at);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')} \0`, 148, 'latin1');
  return block;
}

/** Bytes in pieces, so that boundaries fall anywhere. */
export async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
