import { KubeError } from './errors.ts';

/**
 * Frames of `v4.channel.k8s.io` port-forward, for one port: the first byte is the channel, 0 data (both ways) and 1 errors (towards us).
 * The kubelet's first two bytes on either channel are the port, little-endian; they may come alone or together with what follows.
 */
const DATA = 0;
const ERROR = 1;
const PORT_BYTES = 2;

export type Frame =
  | { readonly type: 'data'; readonly bytes: Buffer }
  | { readonly type: 'error'; readonly error: KubeError }
  | { readonly type: 'nothing' };

export function frameData(bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(bytes.length + 1);
  frame[0] = DATA;
  frame.set(bytes, 1);
  return frame;
}

/** Reads the messages of one connection, in order. */
export class FrameReader {
  readonly #call: string;
  readonly #portBytesLeft = [PORT_BYTES, PORT_BYTES];

  constructor(call: string) {
    this.#call = call;
  }

  read(message: Buffer): Frame {
    const channel = message[0];
    if (channel === undefined) return { type: 'nothing' };
    if (channel !== DATA && channel !== ERROR) {
      return {
        type: 'error',
        error: this.#error('BadResponse', `bytes on channel ${channel}, which one port does not have`),
      };
    }
    const skip = Math.min(this.#portBytesLeft[channel] ?? 0, message.length - 1);
    this.#portBytesLeft[channel] = (this.#portBytesLeft[channel] ?? 0) - skip;
    const bytes = message.subarray(1 + skip);
    if (bytes.length === 0) return { type: 'nothing' };
    if (channel === DATA) return { type: 'data', bytes };
    return { type: 'error', error: this.#error('Unreachable', bytes.toString('utf8').trim()) };
  }

  #error(code: 'BadResponse' | 'Unreachable', message: string): KubeError {
    return new KubeError({ code, call: this.#call, message });
  }
}
