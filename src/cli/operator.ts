/** `robotgc operator`: the controllers, as the chart runs them. */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { pino } from 'pino';
import type { OperatorConfig } from '../operator/config.ts';
import { count, daemon, port } from './daemon.ts';
import { durationOption } from './duration-option.ts';
import { CliError, exitCodes } from './exit.ts';

interface OperatorOptions {
  readonly namespace: string;
  readonly leaseName: string;
  readonly dataDir: string;
  readonly signingKey: string;
  readonly agentUser: string;
  readonly ingestPort: number;
  readonly healthPort: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly observeOnly?: boolean;
  readonly breakerWindow: string;
  readonly breakerBreached: number;
  readonly breakerRolledBack: number;
  readonly kubeconfig?: string;
  readonly logLevel: string;
}

export function register(program: Command): void {
  program
    .command('operator')
    .description('run the controllers: diagnose, plan, apply, verify, roll back')
    .requiredOption('--namespace <name>', 'where its Lease lives')
    .option('--lease-name <name>', 'Lease that replicas share', 'robotgc-operator')
    .requiredOption('--data-dir <folder>', 'where bundles are kept, on a volume')
    .requiredOption('--signing-key <file>', 'ed25519 private key, PEM, that seals bundles')
    .requiredOption(
      '--agent-user <name>',
      'the user whose deliveries are taken: system:serviceaccount:<namespace>:<name>',
    )
    .option('--ingest-port <port>', "agents' port", port, 8443)
    .option('--tls-cert <file>', "certificate for the agents' port, PEM")
    .option('--tls-key <file>', 'its key, PEM')
    .option('--health-port <port>', 'port of /healthz, /readyz and /metrics', port, 8080)
    .option('--observe-only', 'kill switch: diagnose and recommend, change nothing anywhere')
    .option('--breaker-window <duration>', 'circuit breaker: what happens within it counts as together', '10m')
    .option('--breaker-breached <workloads>', 'circuit breaker: so many in breach stop all acting', count, 10)
    .option('--breaker-rolled-back <workloads>', 'circuit breaker: so many rolled back stop all acting', count, 3)
    .option('--kubeconfig <file>', 'cluster to work on (default: the one this pod runs in)')
    .option('--log-level <level>', 'trace, debug, info, warn or error', 'info')
    .action(run);
}

async function run(options: OperatorOptions): Promise<void> {
  const log = pino({ level: options.logLevel });
  await daemon(log, async (signal) => {
    const { runOperator } = await import('../operator/main.ts');
    await runOperator(configOf(options), log, signal);
  });
}

function configOf(options: OperatorOptions): OperatorConfig {
  const { tlsCert, tlsKey } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new CliError(exitCodes.usage, 'give both --tls-cert and --tls-key, or neither');
  }
  return {
    namespace: options.namespace,
    // A random tail: a container restarted in its pod keeps the pod's name, but is another process.
    identity: `${process.env.POD_NAME ?? hostname()}-${randomBytes(3).toString('hex')}`,
    leaseName: options.leaseName,
    dataDir: options.dataDir,
    signingKeyFile: options.signingKey,
    agentUser: options.agentUser,
    ingestPort: options.ingestPort,
    healthPort: options.healthPort,
    tls: tlsCert !== undefined && tlsKey !== undefined ? { certFile: tlsCert, keyFile: tlsKey } : undefined,
    observeOnly: options.observeOnly ?? false,
    breaker: {
      windowMs: durationOption(options.breakerWindow, '--breaker-window'),
      breached: options.breakerBreached,
      rolledBack: options.breakerRolledBack,
    },
    kubeconfigPath: options.kubeconfig,
  };
}
