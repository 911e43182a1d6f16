import { readdirSync, readFileSync } from 'node:fs';
import { cgroupRootOf, hierarchies } from './cgroups.ts';
import { run } from './run.ts';

/** For the cluster's own tests: everything on the machine that a cluster could leave behind. */
export async function machineTraces(names: readonly string[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const lines = async (...command: string[]) => (await run(command)).stdout.split('\n').filter(Boolean);
  const ofOurs = (text: string) =>
    names.some((name) => text.includes(`/${name}/`) || text.includes(cgroupRootOf(name)));
  const cgroups: string[] = [];
  for (const { mountPoint } of await hierarchies()) {
    cgroups.push(...(await lines('find', mountPoint, '-maxdepth', '3', '-type', 'd')).filter(ofOurs));
  }
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(ofOurs),
    links: (await lines('ip', '-br', 'link')).map((line) => line.split(/[\s@]/)[0] ?? ''),
    routes: await lines('ip', 'route', 'show', 'table', 'all'),
    namedNamespaces: await lines('ip', 'netns'),
    rules: (await lines('iptables-save')).filter((line) => !line.startsWith('#') && !line.startsWith(':')),
    cgroups,
    processes: processesMentioning(ofOurs),
    settings: ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'].map(
      (name) => `${name}=${readFileSync(`/proc/sys/${name}`, 'utf8').trim()}`,
    ),
    directories: ['/var/lib', '/var/log', '/run', '/opt', '/etc'].flatMap((dir) =>
      readdirSync(dir).map((name) => `${dir}/${name}`),
    ),
  };
}

/** Processes whose cgroups or arguments name the cluster; what has ended but was not collected by init does not count. */
function processesMentioning(matches: (text: string) => boolean): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const arguments_ = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (arguments_ === '') return [];
      return matches(arguments_) || matches(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))
        ? [`${pid} ${arguments_}`]
        : [];
    } catch {
      return [];
    }
  });
}
