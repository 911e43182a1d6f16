import { parseArgs } from 'node:util';
import { shellWord } from '../support/shell-word.ts';
import { isKernelVersion, type KernelVersion, kernelVersions } from '../vm/kernels.ts';
import { defaultName, downCluster, openCluster, upCluster } from './cluster.ts';
import { ClusterError } from './errors.ts';
import { kindClusters } from './kind.ts';
import { type ClusterStatus, clusterStatus } from './status.ts';
import { downVmCluster, openVmCluster, upVmCluster } from './vm.ts';

/** `npm run cluster -- up|down|status|import [--name NAME] [--json]`: words for people on stderr, results on stdout. */
const usage = `usage: npm run cluster -- up|down|status [--name NAME] [--json] [--vm [--kernel ${kernelVersions.join('|')}]]
       npm run cluster -- import [--name NAME] TAG ARCHIVE
  up      start the cluster (name: ${defaultName}), or say that it is up; prints the path of its kubeconfig
  down    end it and remove everything it made
  status  what runs; without --name, every cluster of this user
  import  make an image known to its node
  --vm    in a virtual machine with Debian's kernel and pure cgroup v2`;

const say = (line: string) => console.error(line);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      name: { type: 'string' },
      json: { type: 'boolean', default: false },
      vm: { type: 'boolean', default: false },
      kernel: { type: 'string', default: '6.12' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const [command, ...rest] = positionals;
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (command === 'import' && !values.vm) return importImage(values.name ?? defaultName, rest);
  if (rest.length > 0 || !isKernelVersion(values.kernel)) return misused();
  if (values.vm) return inMachine(command, { ...values, kernel: values.kernel, name: values.name ?? defaultName });
  switch (command) {
    case 'up':
      return up(values.name ?? defaultName, values.json);
    case 'down':
      return down(values.name ?? defaultName, values.json);
    case 'status':
      return status(values.name, values.json);
    default:
      return misused();
  }
}

function misused(): number {
  say(usage);
  return 2;
}

async function up(name: string, json: boolean): Promise<number> {
  const startedMs = performance.now();
  const cluster = await upCluster({ name, onProgress: say, signal: userInterrupt() });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  say(
    `cluster "${name}" is up after ${seconds} s; use it with:\n  export KUBECONFIG=${shellWord(cluster.kubeconfigPath)}`,
  );
  if (json) console.log(JSON.stringify((await clusterStatus(name))[0] ?? { name, kubeconfig: cluster.kubeconfigPath }));
  else console.log(cluster.kubeconfigPath);
  return 0;
}

async function importImage(name: string, [tag, archive, ...more]: readonly string[]): Promise<number> {
  if (tag === undefined || archive === undefined || more.length > 0) return misused();
  await (await openCluster(name)).importImage({ tag, archive });
  return 0;
}

/** A cluster with `--vm` has nothing to do with one of the same name without. */
async function inMachine(
  command: string | undefined,
  { name, kernel, json }: { name: string; kernel: KernelVersion; json: boolean },
): Promise<number> {
  const print = (phase: string, kubeconfig: string) =>
    console.log(json ? JSON.stringify({ name, phase, ...(kubeconfig === '' ? {} : { kubeconfig }) }) : kubeconfig);
  switch (command) {
    case 'up': {
      const { kubeconfigPath } = await upVmCluster({ name, kernel, onProgress: say, signal: userInterrupt() });
      print('up', kubeconfigPath);
      return 0;
    }
    case 'down':
      await downVmCluster(name);
      say(`the machine of cluster "${name}" is down`);
      return 0;
    case 'status': {
      const running = await openVmCluster(name);
      print(running ? 'up' : 'down', running?.kubeconfigPath ?? '');
      return running ? 0 : 1;
    }
    default:
      return misused();
  }
}

function userInterrupt(): AbortSignal {
  const abort = new AbortController();
  const interrupted = () => abort.abort(new Error('interrupted: what had been started is removed'));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  return abort.signal;
}

async function down(name: string, json: boolean): Promise<number> {
  await downCluster(name, say);
  say(`cluster "${name}" is down`);
  if (json) console.log(JSON.stringify({ name, phase: 'down' }));
  return 0;
}

async function status(name: string | undefined, json: boolean): Promise<number> {
  if (process.env.CLUSTER === 'kind') {
    const found = (await kindClusters()).filter((each) => name === undefined || each === name);
    console.log(json ? JSON.stringify(found.map((each) => ({ name: each, phase: 'up' }))) : found.join('\n'));
    return found.length > 0 ? 0 : 1;
  }
  const clusters = await clusterStatus(name);
  if (json) console.log(JSON.stringify(name === undefined ? clusters : (clusters[0] ?? { name, phase: 'down' })));
  else if (clusters.length === 0) console.log(name === undefined ? 'no clusters' : `cluster "${name}" is down`);
  else for (const cluster of clusters) printStatus(cluster);
  const healthy = clusters.length > 0 && clusters.every((cluster) => cluster.phase === 'up' && cluster.apiReady);
  return healthy ? 0 : 1;
}

function printStatus(cluster: ClusterStatus): void {
  console.log(
    `${cluster.name}: ${cluster.phase}, API ${cluster.apiReady ? 'ready' : 'not ready'} at ${cluster.server}`,
  );
  console.log(`  KUBECONFIG=${shellWord(cluster.kubeconfig)}`);
  for (const { name, pid, running, rssBytes } of cluster.components) {
    const state = running ? `${(rssBytes / 1024 ** 2).toFixed(0).padStart(5)} MiB` : 'ended';
    console.log(`  ${name.padEnd(24)} pid ${String(pid).padStart(7)}  ${state}`);
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = error instanceof ClusterError && error.code === 'BAD_NAME' ? 2 : 3;
  },
);
