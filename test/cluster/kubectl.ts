import { type RunResult, run } from './run.ts';

/** Runs kubectl against one cluster, without the user's proxies, plugins and defaults. */
export function kubectl(
  path: string,
  kubeconfig: string,
  args: readonly string[],
  input?: string,
  signal?: AbortSignal,
): Promise<RunResult> {
  return run([path, '--kubeconfig', kubeconfig, ...args], {
    env: clusterEnv(kubeconfig),
    ...(input === undefined ? {} : { input }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The caller's environment for a program that talks to the cluster: KUBECONFIG set, proxies removed. */
export function clusterEnv(kubeconfig: string): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(https?|all|no)_proxy$/i.test(name));
  return { ...Object.fromEntries(entries), KUBECONFIG: kubeconfig, KUBERC: 'off' };
}
