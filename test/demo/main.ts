/** `npm run demo`: exit 0 only if a robot was watched, found in breach, captured, tuned, and verified as healed. */

import { parseArgs } from 'node:util';
import { downCluster } from '../cluster/cluster.ts';
import { shellWord } from '../support/shell-word.ts';
import { Display } from './display.ts';
import { resultOf } from './result.ts';
import { type DemoOptions, runLoop, startDemo } from './run.ts';

const usage = `usage: npm run demo [-- --keep] [--name NAME]
  --keep       leave the cluster running and print the KUBECONFIG to use
  --name NAME  name of the cluster (default: demo)`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      keep: { type: 'boolean', default: false },
      name: { type: 'string', default: 'demo' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new Error('interrupted; the cluster is removed')));
  }
  const display = new Display();
  const options: DemoOptions = { clusterName: values.name, display, signal: stop.signal };
  try {
    const cluster = await startDemo(options);
    const { incident, bundle } = await runLoop(cluster, options);
    if (values.keep) display.line(`kept; use it with: export KUBECONFIG=${shellWord(cluster.kubeconfigPath)}`);
    else await display.step('cluster removed', () => downCluster(values.name));
    console.log(JSON.stringify(resultOf(incident, bundle.file)));
    return incident.status.phase === 'Resolved' ? 0 : 1;
  } catch (error) {
    display.line(`failed: ${error instanceof Error ? error.message : String(error)}`);
    if (!values.keep) await downCluster(values.name);
    return 1;
  }
}

process.exitCode = await main();
