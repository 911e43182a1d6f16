/** What the program waited for on the network in the latest minute, where that was slow: latency that is not the collector's. Pure. */
import { isMissing, type NetworkLimits, type NetworkPhase, type SignalWindow } from '../model/index.ts';
import { milliseconds } from './words.ts';

/** A handshake of the client side, of the server side and of OpenSSL are the same to those who wait. */
const PHASES: readonly {
  readonly phase: NetworkPhase;
  readonly name: string;
  readonly limitNs: (limits: NetworkLimits) => number;
}[] = [
  { phase: 'tlsClient', name: 'TLS handshake (client)', limitNs: ({ tlsHandshakeNs }) => tlsHandshakeNs },
  { phase: 'tlsServer', name: 'TLS handshake (server)', limitNs: ({ tlsHandshakeNs }) => tlsHandshakeNs },
  { phase: 'openssl', name: 'TLS handshake (OpenSSL)', limitNs: ({ tlsHandshakeNs }) => tlsHandshakeNs },
  { phase: 'connect', name: 'TCP connect', limitNs: ({ connectNs }) => connectNs },
];

/** Whether a handshake or a connection of that second took longer than it may. */
export function isNetworkSlow({ network }: SignalWindow, limits: NetworkLimits): boolean {
  return network !== undefined && PHASES.some(({ phase, limitNs }) => network[phase].maxNs > limitNs(limits));
}

/** One sentence for each phase that was slower than its limit at least once. */
export function slowNetwork(windows: readonly SignalWindow[], limits: NetworkLimits): string[] {
  return PHASES.flatMap(({ phase, name, limitNs }) => {
    const limit = limitNs(limits);
    const slow = windows.flatMap(({ network }) => (network && network[phase].maxNs > limit ? [network[phase]] : []));
    if (slow.length === 0) return [];
    const slowest = Math.max(...slow.map(({ maxNs }) => maxNs));
    const failed = slow.reduce((sum, waits) => sum + waits.failed, 0);
    return [
      `${name}: up to ${milliseconds(slowest)}, over the limit of ${milliseconds(limit)} in ${slow.length} of ${windows.length} windows${failed > 0 ? `, ${failed} failed` : ''}`,
    ];
  });
}

/** Seen only while somebody asks, a capture for example. How long is too long depends on the program: said without a verdict. */
export function blockedReads(windows: readonly SignalWindow[]): string[] {
  const watched = windows.flatMap((window) =>
    window.network && window.network.read.count > 0 && !isMissing(window, 'network.read') ? [window.network.read] : [],
  );
  if (watched.length === 0) return [];
  const count = watched.reduce((sum, read) => sum + read.count, 0);
  const longest = Math.max(...watched.map(({ maxNs }) => maxNs));
  const slowest = Math.max(...watched.map(({ p99Ns }) => p99Ns));
  return [
    `reads that waited for data: ${count} in the ${watched.length} windows in which they were watched, P99 up to ${milliseconds(slowest)}, longest ${milliseconds(longest)}; connections at rest are among them`,
  ];
}
