import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { CaptureError, type DuplexFactory } from './types.ts';

/**
 * Run inside the other network namespace: joins stdin and stdout to a port there and prints one byte first when it is
 * connected, so that a refused connection is told from a silent one.
 */
const relay = `const s=require('node:net').connect(+process.argv[1],'127.0.0.1',()=>{process.stdout.write('+');process.stdin.pipe(s).pipe(process.stdout)});
s.on('error',e=>{process.stderr.write(e.code||e.message);process.exit(1)});`;

/**
 * A connection to 127.0.0.1:port in the network namespace of a process on this host, whatever pod it belongs to.
 * Needs CAP_SYS_ADMIN and util-linux's nsenter, hence opt-in. One short-lived child a connection, ended with the stream.
 */
export function connectNetworkNamespace(pid: number, port: number): DuplexFactory {
  return (signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const child = spawn(
        'nsenter',
        [`--net=/proc/${pid}/ns/net`, '--', process.execPath, '-e', relay, '--', String(port)],
        { stdio: ['pipe', 'pipe', 'pipe'], env: {} },
      );
      const where = `127.0.0.1:${port} in the network namespace of process ${pid}`;
      let complaint = '';
      const abort = () => child.kill('SIGKILL');
      signal.addEventListener('abort', abort, { once: true });
      child.stderr.on('data', (text: Buffer) => {
        if (complaint.length < 1024) complaint += text.toString('utf8');
      });
      child.stdin.on('error', () => undefined);
      const fail = (reason: string, cause?: Error) =>
        reject(
          new CaptureError(signal.aborted ? 'aborted' : 'unreachable', `cannot connect to ${where}: ${reason}`, cause),
        );
      child.once('error', (error) => fail(`nsenter cannot be run (${error.message}); install util-linux`, error));
      child.once('exit', () => {
        signal.removeEventListener('abort', abort);
        fail(explain(complaint));
      });
      child.stdout.once('readable', () => {
        if (child.stdout.read(1) === null) return;
        const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
        stream.once('close', () => child.kill('SIGKILL'));
        resolve(stream);
      });
    });
}

function explain(complaint: string): string {
  if (/not permitted|denied/i.test(complaint)) return 'entering another network namespace needs CAP_SYS_ADMIN';
  if (/No such file/i.test(complaint)) return 'the process is gone';
  if (complaint.includes('ECONNREFUSED')) return 'ECONNREFUSED: nothing listens there; is net/http/pprof served?';
  return complaint.trim() || 'the relay ended';
}
