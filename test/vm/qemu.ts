/** The command line of a machine without acceleration by the processor. Pure. */
export interface QemuSettings {
  readonly kernel: string;
  readonly initrd: string;
  readonly modules: string;
  readonly jobs: string;
  readonly disk: string;
  /** Two FIFOs, PORT.in and PORT.out. */
  readonly port: string;
  readonly console: string;
  readonly memoryMiB: number;
  readonly processors: number;
  /** TCP port of 127.0.0.1 here → port of the machine. */
  readonly forwards: ReadonlyMap<number, number>;
  /** Port of `hostAddress` in the machine → TCP port of 127.0.0.1 here. Nothing else of a network leads out of or into it. */
  readonly ways: ReadonlyMap<number, number>;
  /** Hands on what comes by such a way, one process for each connection. */
  readonly busybox: string;
}

/** On the one network that a machine has, qemu's own. */
export const machineAddress = '10.0.2.15';
/** What the machine reaches of this host, it reaches at this address. */
export const hostAddress = '10.0.2.100';

/**
 * All that is emulated, but no protection keys: with them V8 guards its pages of code, and Node was seen to end in the register of those pages
 * with "Check failed: it->second.Size() > offset", as others saw it on processors that have such keys.
 */
const processor = 'max,-pku';

/** Page-table isolation and the like cost much where every instruction is emulated, and protect nobody here. */
const kernelArguments =
  'console=ttyS0 loglevel=5 psi=1 panic=-1 mitigations=off no5lvl nowatchdog net.ifnames=0 rdinit=/init';

/**
 * One thread for all emulated processors: with one for each, a processor may go on in code that a kernel (tracepoints, static calls) or V8 is
 * just rewriting on another one, and was seen to panic, or to hang for ever.
 */
const accelerator = 'tcg,thread=single';

export function qemuCommand(settings: QemuSettings): readonly string[] {
  const forwards = [...settings.forwards].map(([here, there]) => `,hostfwd=tcp:127.0.0.1:${here}-:${there}`);
  const ways = [...settings.ways].map(
    ([there, here]) => `,guestfwd=tcp:${hostAddress}:${there}-cmd:${settings.busybox} nc 127.0.0.1 ${here}`,
  );
  return [
    ...['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-accel', accelerator, '-cpu', processor, '-m', String(settings.memoryMiB)],
    ...['-smp', String(settings.processors)],
    ...['-kernel', settings.kernel, '-initrd', settings.initrd, '-append', kernelArguments],
    ...['-chardev', `file,id=console,path=${settings.console}`, '-serial', 'chardev:console'],
    ...['-drive', `file=${settings.disk},if=virtio,format=raw,cache=unsafe,discard=unmap`],
    ...share('host', '/', ',readonly=on,multidevs=remap'),
    ...share('modules', settings.modules, ',readonly=on'),
    ...share('jobs', settings.jobs, ''),
    ...['-device', 'virtio-serial-pci', '-chardev', `pipe,id=port,path=${settings.port}`],
    ...['-device', 'virtserialport,chardev=port,name=port'],
    ...[
      '-netdev',
      `user,id=net,restrict=on${[...forwards, ...ways].join('')}`,
      '-device',
      'virtio-net-pci,netdev=net,romfile=',
    ],
  ];
}

function share(tag: string, path: string, more: string): readonly string[] {
  return [
    ...['-fsdev', `local,id=${tag},path=${path},security_model=none${more}`],
    ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}
