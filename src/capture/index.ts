/**
 * capture: fetches pprof profiles, goroutine dumps and execution traces from a Go process, over whatever stream
 * reaches it. An I/O room: imports node's network modules and the pure room `profile`; promises bounded size and
 * time whatever the other side does, and that one failing profile never loses the others.
 */
export { capture } from './capture.ts';
export { connectNetworkNamespace } from './connect-netns.ts';
export { connectTcp } from './connect-tcp.ts';
export { captureProcess, type ProcessCaptureRequest, processCandidates } from './process.ts';
export { type Reached, type ReachFailure, reach } from './reach.ts';
export { httpTransport } from './transport.ts';
export * from './types.ts';
