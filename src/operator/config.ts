import type { BreakerLimits } from '../remedy/index.ts';

/** Everything the operator is told from outside, with its defaults. */
export interface OperatorConfig {
  /** Where its Lease and Service live. */
  readonly namespace: string;
  /** Name of this replica: the pod's name. */
  readonly identity: string;
  readonly leaseName: string;
  /** Folder, on a volume, for bundles. */
  readonly dataDir: string;
  /** PEM file of the ed25519 key that seals bundles. */
  readonly signingKeyFile: string;
  /** The one user whose bundles and windows are taken: `system:serviceaccount:<namespace>:<name>`. */
  readonly agentUser: string;
  /** Agents' port, TLS where certificate and key are given. */
  readonly ingestPort: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Health and metrics port. */
  readonly healthPort: number;
  /** Kill switch: diagnose and recommend, change nothing anywhere. */
  readonly observeOnly: boolean;
  /** When so many workloads breach or are rolled back together, nothing more is changed anywhere. */
  readonly breaker: BreakerLimits;
  readonly kubeconfigPath: string | undefined;
}
