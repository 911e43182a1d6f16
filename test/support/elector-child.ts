/** A program that leads when it may, and says so on stdout; its test ends it without warning. Arguments: kubeconfig, lease, identity. */
import { createTransport, LeaderElector, silentLog } from '../../src/kube/index.ts';
import { aborted } from '../../src/kube/together.ts';

const [kubeconfigPath = '', name = '', identity = ''] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const transport = createTransport({ kubeconfigPath, userAgent: 'elector-child' });
const elector = new LeaderElector({
  transport,
  namespace: 'default',
  name,
  identity,
  leaseDurationMs: 4_000,
  renewDeadlineMs: 3_000,
  retryPeriodMs: 500,
  log: silentLog,
  onNewLeader: (leader) => console.log(`sees ${leader}`),
});
await elector.run({
  signal: stop.signal,
  async lead(signal) {
    console.log('leads');
    await aborted(signal);
    console.log('stopped');
  },
});
await transport.close();
