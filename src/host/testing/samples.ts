/** Texts as kernels and exporters write them. */

export const pressure = [
  'some avg10=8.52 avg60=3.11 avg300=0.87 total=12345678\nfull avg10=0.00 avg60=0.10 avg300=0.02 total=2345678\n',
  'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
];

export const memoryStatV2 = [
  [
    'anon 104857600\nfile 5242880\nkernel 3145728\nkernel_stack 131072\npagetables 262144\npercpu 960\nsock 4096\nshmem 0\n',
    'file_mapped 1048576\nfile_dirty 0\nfile_writeback 0\nswapcached 0\nanon_thp 0\ninactive_anon 104800256\nactive_anon 57344\n',
    'inactive_file 4194304\nactive_file 1048576\nunevictable 0\nslab_reclaimable 262144\nslab_unreclaimable 131072\nslab 393216\n',
    'workingset_refault_anon 0\nworkingset_refault_file 4321\nworkingset_activate_anon 0\nworkingset_activate_file 12\npgscan 98765\n',
    'pgsteal 87654\npgscan_kswapd 0\npgscan_direct 98765\npgsteal_kswapd 0\npgsteal_direct 87654\npgfault 1234567\npgmajfault 321\n',
    'pgrefill 11\npgactivate 22\npgdeactivate 33\npglazyfree 0\npglazyfreed 0\nthp_fault_alloc 0\nthp_collapse_alloc 0\n',
  ].join(''),
];

export const memoryStatV1 = [
  [
    'cache 11874304\nrss 11530240\nrss_huge 0\nshmem 9084928\nmapped_file 7622656\nworkingset_refault_file 56308\nswap 0\n',
    'pgpgin 158075\npgpgout 152361\npgfault 158575\npgmajfault 0\ninactive_file 208896\nactive_file 2580480\n',
    'hierarchical_memory_limit 9223372036854771712\ntotal_cache 2219741184\ntotal_rss 566763520\ntotal_pgmajfault 126335\n',
    'total_workingset_refault_file 51765646\ntotal_inactive_file 729477120\ntotal_swap 0\n',
  ].join(''),
];

export const memoryEvents = [
  'low 0\nhigh 17\nmax 4\noom 1\noom_kill 1\noom_group_kill 0\n',
  'high 2\nmax 3\noom 4\noom_kill 5\n',
];
export const oomControl = ['oom_kill_disable 0\nunder_oom 0\noom_kill 3\n'];

export const cpuStatV2 = [
  'usage_usec 912345\nuser_usec 800000\nsystem_usec 112345\nnr_periods 200\nnr_throttled 30\nthrottled_usec 123456\nnr_bursts 0\nburst_usec 0\n',
];
export const cpuStatV1 = ['nr_periods 200\nnr_throttled 30\nthrottled_time 123456789\n'];

export const stat = [
  '4242 (my (odd) name) S 1 4242 4242 0 -1 4194560 1234 0 5 0 250 40 0 0 20 0 9 0 123456 1240000000 25000 18446744073709551615 1 1 0 0 0 0 0 0 2143420159 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n',
];
export const status = [
  'Name:\trobot\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4242\nNgid:\t0\nPid:\t4242\nPPid:\t1\nNSpid:\t4242\t1\nVmPeak:\t 1240000 kB\nVmRSS:\t  102400 kB\nRssAnon:\t   98304 kB\nThreads:\t9\n',
];
export const cgroups = [
  '0::/kubepods/burstable/pod0f9c2b6e-3d1a-4c5b-9e8f-7a6b5c4d3e2f/abc\n',
  '12:cpuset:/\n11:memory:/kubepods/x\n4:cpu,cpuacct:/kubepods/x\n1:name=systemd:/kubepods/x\n0::/kubepods/x\n',
];
export const limits = [
  'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            20000                unlimited            files     \n',
];
export const maps = [
  [
    '00400000-004a1000 r-xp 00000000 fe:00 1443872                            /usr/bin/robot\n',
    '7f1000000000-7f1000021000 rw-p 00000000 00:00 0 \n',
    '7f2000000000-7f200005b000 r-xp 0001e000 fe:00 2359413                    /usr/lib/x86_64-linux-gnu/libssl.so.3\n',
    '7f2000100000-7f2000101000 r-xp 00000000 fe:00 2359500                    /opt/libssl.so.1.1 (deleted)\n',
    '7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n',
  ].join(''),
];

const uid = '0f9c2b6e-3d1a-4c5b-9e8f-7a6b5c4d3e2f';
const id = '4e7d0a1b'.repeat(8);
export const containerPaths = [
  `/kubepods/burstable/pod${uid}/${id}`,
  `/kubepods.slice/kubepods-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope`,
  `/system.slice/containerd.service/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice:cri-containerd:${id}`,
  `/../../pod${uid}/${id}`,
];

export const prometheusText = [
  [
    '# HELP robot_active_sessions Sessions that are open.\n# TYPE robot_active_sessions gauge\n',
    'robot_active_sessions{shard="0"} 2000\nrobot_active_sessions{shard="1",zone="a\\"b\\\\"} 1.5e3 1700000000000\n',
    'go_gc_duration_seconds{quantile="0.99"} NaN\nhttp_requests_total{code="200"} +Inf\n',
  ].join(''),
];
export const openMetrics = [
  [
    '# TYPE robot_active_sessions counter\n# UNIT robot_active_sessions sessions\n',
    'robot_active_sessions_total{shard="0"} 7 1700000000.5 # {trace_id="KOO5S4vxi0o"} 0.67\nrobot_active_sessions_created 1\n# EOF\n',
  ].join(''),
];

export const tcpTables = [
  [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1667 1 00000000df53cbab 100 0 0 10 0\n',
    '   1: 0100007F:1F90 0100007F:C5E2 01 00000000:00000000 00:00000000 00000000     0        0 1668 1 00000000df53cbac 20 4 30 10 -1\n',
  ].join(''),
  [
    '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt\n',
    '   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:C5E4 01 00000000:00000000 00:00000000 00000000\n',
  ].join(''),
];
