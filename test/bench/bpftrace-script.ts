/**
 * The peer's program: what the probe observes, written for bpftrace as its manual teaches it, at the very instructions where the product
 * attaches. Pure.
 */
import type { AttachRequest } from '../../src/host/probe/index.ts';

type Point = AttachRequest['points'][number];

/** Line that is printed each second, for the first time when everything is attached. */
export const tickLine = 'tick';

/** What each point does. `stwStopped` is of Go before 1.23 only, and the benchmark's robots are not. */
const actions: Readonly<Record<string, string>> = {
  stwEntry: '@stop[tid] = reg("cx"); @reason[tid] = reg("bx") & 0xff; @stopping = hist(reg("di") - reg("cx"));',
  stwRet:
    'if (@stop[tid]) { @pauses[@reason[tid]] = hist(reg("ax") - @stop[tid]); delete(@stop[tid]); delete(@reason[tid]); }',
  assistEntry: '@assist[reg("r14")] = nsecs;',
  assistRet: endOf('assist', 'reg("r14")'),
  cycleEnd:
    '@cycles = count(); @live = *(uint64*)(reg("ax") + 152); @goal = *(uint64*)(reg("ax") + 96); @triggered = *(uint64*)(reg("ax") + 88); ' +
    '@assisted = *(uint64*)(reg("ax") + 192); @dedicated = *(uint64*)(reg("ax") + 200);',
  heapGrow: '@grows = count();',
  tlsClientEntry: '@tlsClient[reg("r14")] = nsecs;',
  tlsClientRet: endOf('tlsClient', 'reg("r14")'),
  tlsServerEntry: '@tlsServer[reg("r14")] = nsecs;',
  tlsServerRet: endOf('tlsServer', 'reg("r14")'),
};

const same: Readonly<Record<string, string>> = {
  assistSlowBegin: 'assistEntry',
  assistSlowEnd: 'assistRet',
  assistExit: 'assistRet',
};

const mapsMemory = '(args->id == 9 || args->id == 11)';

/** Tracepoints, what a watched process is asked for, and what they do. */
const tracepoints: readonly (readonly [string, string, string])[] = [
  ['raw_syscalls:sys_enter', ` && ${mapsMemory}`, '@call[tid] = nsecs;'],
  ['raw_syscalls:sys_exit', ` && ${mapsMemory}`, endOf('call', 'tid')],
  ['vmscan:mm_vmscan_direct_reclaim_begin', '', '@reclaim[tid] = nsecs;'],
  ['vmscan:mm_vmscan_direct_reclaim_end', '', endOf('reclaim', 'tid')],
  ['vmscan:mm_vmscan_memcg_reclaim_begin', '', '@reclaim[tid] = nsecs;'],
  ['vmscan:mm_vmscan_memcg_reclaim_end', '', endOf('reclaim', 'tid')],
  ['sock:inet_sock_set_state', '', '@states = count();'],
];

const shown = ['pauses', 'stopping', 'assists', 'calls', 'reclaims']
  .map((map) => `print(@${map}); clear(@${map});`)
  .concat('print(@live); print(@goal);')
  .join(' ');

/**
 * @param file the robot's binary. It must have no symbol table: bpftrace without a disassembler refuses addresses inside of functions that it
 * knows, and takes offsets in the file where it knows none.
 */
export function bpftraceScript(pid: number, file: string, points: readonly Point[]): string {
  const ours = `pid == ${pid}`;
  return [
    // First, since bpftrace attaches from the last to the first. Each second what it brought, as a dashboard would have it.
    `interval:s:1 { printf("${tickLine}\\n"); ${shown} }`,
    ...[...Map.groupBy(points, ({ point }) => same[point] ?? point)].map(([action, at]) => {
      const places = at.map(({ offset }) => `uprobe:${file}:0x${offset.toString(16)}`).join(', ');
      return `${places} /${ours}/ { ${actions[action] ?? ''} }`;
    }),
    ...tracepoints.map(([name, only, action]) => `tracepoint:${name} /${ours}${only}/ { ${action} }`),
    `tracepoint:oom:mark_victim /args->pid == ${pid}/ { @victims = count(); }`,
    `tracepoint:sched:sched_process_exec /${ours}/ { @execs = count(); }`,
  ].join('\n');
}

/** A duration since `begun` under the same key; counted under the plural name, and the number of them under another. */
function endOf(begun: string, key: string): string {
  const since = `@${begun}[${key}]`;
  return `if (${since}) { @${begun}s = hist(nsecs - ${since}); @${begun}Count = count(); delete(${since}); }`;
}

/** A count as bpftrace prints all of them when it ends; 0 for one that nothing was counted under. */
export function printedCount(lines: readonly string[], name: string): number {
  const start = `@${name}: `;
  return Number(lines.findLast((line) => line.startsWith(start))?.slice(start.length) ?? 0);
}
