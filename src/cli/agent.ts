/** `robotgc agent`: one a node, as the chart runs it. */
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { AgentConfig } from '../agent/config.ts';
import { daemon, port } from './daemon.ts';
import { CliError, exitCodes } from './exit.ts';

interface AgentOptions {
  readonly node?: string;
  readonly operatorUrl: string;
  readonly operatorTokenFile: string;
  readonly operatorCa?: string;
  readonly stateDir: string;
  readonly hostProc: string;
  readonly hostCgroup: string;
  readonly healthPort: number;
  readonly kubeconfig?: string;
  readonly allowNetworkNamespace?: boolean;
  readonly live?: boolean;
  readonly logLevel: string;
}

export function register(program: Command): void {
  program
    .command('agent')
    .description('watch the Go processes of one node, capture evidence of breaches, ship it')
    .option('--node <name>', 'name of this node (default: the environment variable NODE_NAME)')
    .requiredOption('--operator-url <url>', 'where the operator takes signals and bundles')
    .requiredOption('--operator-token-file <file>', 'projected service account token for the operator')
    .option('--operator-ca <file>', "certificate authority of the operator, PEM (default: the system's)")
    .requiredOption('--state-dir <folder>', 'where bundles wait until the operator has them')
    .option('--host-proc <folder>', "the host's /proc", '/proc')
    .option('--host-cgroup <folder>', "the host's /sys/fs/cgroup", '/sys/fs/cgroup')
    .option('--health-port <port>', 'port of /healthz, /readyz and /metrics', port, 8080)
    .option('--kubeconfig <file>', 'cluster to work on (default: the one this pod runs in)')
    .option('--allow-network-namespace', "enter a pod's network namespace to reach its pprof; needs SYS_ADMIN")
    .option(
      '--live',
      "write GOGC and GOMEMLIMIT into running processes where policies name Live; needs DAC_OVERRIDE for other users'",
    )
    .option('--log-level <level>', 'trace, debug, info, warn or error', 'info')
    .action(run);
}

async function run(options: AgentOptions): Promise<void> {
  // Every node pays for the agent's heap: it is collected sooner, for a thousandth of a core. And of V8's two optimizing compilers the quick
  // one is enough: what the other gains a tick, its work and memory cost. NODE_OPTIONS does not take these.
  for (const flag of ['--optimize-for-size', '--no-opt']) setFlagsFromString(flag);
  const log = process.stdout.isTTY ? pino({ level: options.logLevel }, pretty()) : pino({ level: options.logLevel });
  await daemon(log, async (signal) => {
    const config = configOf(options);
    const { runAgent } = await import('../agent/main.ts');
    await runAgent(config, log, signal);
  });
}

function configOf(options: AgentOptions): AgentConfig {
  if (!URL.canParse(options.operatorUrl)) {
    throw new CliError(
      exitCodes.usage,
      `--operator-url ${options.operatorUrl}: write an address such as https://robotgc-operator.robotgc.svc:8443`,
    );
  }
  return {
    node: options.node ?? process.env.NODE_NAME ?? hostname(),
    operatorUrl: options.operatorUrl,
    operatorTokenFile: options.operatorTokenFile,
    operatorCaFile: options.operatorCa,
    stateDir: options.stateDir,
    procRoot: options.hostProc,
    cgroupRoot: options.hostCgroup,
    healthPort: options.healthPort,
    kubeconfigPath: options.kubeconfig,
    allowNetworkNamespace: options.allowNetworkNamespace ?? false,
    live: options.live ?? false,
  };
}
