import { connect } from 'node:net';
import { CaptureError, type DuplexFactory } from './types.ts';

/** A plain TCP connection: the pod's address, or a port on this host. */
export function connectTcp(host: string, port: number): DuplexFactory {
  return (signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const socket = connect({ host, port, noDelay: true, signal });
      socket.once('connect', () => {
        socket.off('error', fail);
        resolve(socket);
      });
      const fail = (error: Error) => reject(unreachable(`${host}:${port}`, error));
      socket.once('error', fail);
    });
}

const hints: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there; is net/http/pprof served, and on this address?',
  EHOSTUNREACH: 'no route; does a network policy or firewall forbid it?',
  ENETUNREACH: 'no route from this network',
  ETIMEDOUT: 'no answer; does a network policy or firewall drop it?',
  ENOTFOUND: 'the name does not resolve',
};

function unreachable(where: string, error: Error): CaptureError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return new CaptureError('unreachable', `cannot connect to ${where}: ${code}: ${hints[code] ?? error.message}`, error);
}
