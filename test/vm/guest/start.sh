# The machine's only service: runs commands that the host hands in, and says how they ended.
# jobs/ID/command is the script; stdout, stderr and, at last, code appear beside it. A line on the port starts or ends a job.
# Whatever fails before it is ready ends the machine: the kernel does not outlive its first program, and the console says what failed.
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
jobs=/vm/jobs

mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
ip link set lo up
modprobe virtio_net
# What qemu's own network expects; it forwards ports of the host to here, and nothing leads out.
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
hostname vm
set +e

run() {
  cd / && setsid sh "$jobs/$1/command" >"$jobs/$1/stdout" 2>"$jobs/$1/stderr" </dev/null &
  echo $! >"$jobs/$1/pid"
  wait $!
  echo $? >"$jobs/$1/code.new"
  mv "$jobs/$1/code.new" "$jobs/$1/code"
}

: >"$jobs/ready"
for port in /dev/vport*; do break; done
while read -r verb id; do
  case $verb in
    run) run "$id" & ;;
    end) read -r pid <"$jobs/$id/pid" && kill -KILL -- "-$pid" ;;
  esac
done <"$port"
