/** What the agent is told when it starts. */
export interface AgentConfig {
  readonly node: string;
  /** Base address of the operator, such as `https://robotgc-operator.robotgc.svc:8443`. */
  readonly operatorUrl: string;
  /** Projected service account token for the operator; read anew for each delivery. */
  readonly operatorTokenFile: string;
  /** Certificate authority of the operator, PEM; undefined: those of the system. */
  readonly operatorCaFile: string | undefined;
  /** Bundles wait here until the operator has acknowledged them. */
  readonly stateDir: string;
  readonly procRoot: string;
  readonly cgroupRoot: string;
  readonly healthPort: number;
  /** Undefined: the cluster this pod runs in. */
  readonly kubeconfigPath: string | undefined;
  /** Enter a pod's network namespace when nothing else reaches its pprof; needs SYS_ADMIN. */
  readonly allowNetworkNamespace: boolean;
  /** Write settings into running processes; of other users' it needs DAC_OVERRIDE. */
  readonly live: boolean;
}
