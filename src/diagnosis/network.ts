/** What the program waited for on the network in the latest minute, where that was slow: latency that is not the collector's. Pure. */
import type { NetworkLimits, NetworkWaits, SignalWindow } from '../model/index.ts';
import { milliseconds } from './words.ts';

type Phase = keyof NetworkWaits;

/** A handshake of the client side, of the server side and of OpenSSL are the same to those who wait. */
const PHASES: readonly {
  readonly phase: Phase;
  readonly name: string;
  readonly limitNs: (limits: NetworkLimits) => number;
}[] = [
  { phase: 'tlsClient', name: 'TLS handshake (client)', limitNs: ({ tlsHandshakeNs }) => tlsHandshakeNs },
  { phase: 'tlsServer', name: 'TLS handshake (server)', limitNs: ({ tlsHandshakeNs }) => tlsHandshakeNs },
  { phase: 'openssl', name: 'TLS handshake (OpenSSL)', limitNs: ({ tlsHandshakeNs }) => tlsHandshakeNs },
  { phase: 'connect', name: 'TCP connect', limitNs: ({ connectNs }) => connectNs },
];

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
