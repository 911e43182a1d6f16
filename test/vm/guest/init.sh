#!/bin/busybox sh
# The first program of the machine: puts its root file system together and hands over to start.sh in it.
# The root is the host's, read-only, with a fresh disk for whatever is written: every program and file of the host stands at its own path.
set -eu
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /host /disk /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do insmod "/modules/$module.ko"; done </modules/order

mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,msize=524288,ro host /host
mount -t ext4 -o noatime /dev/vda /disk
mkdir /disk/written /disk/work /disk/plain
mount -t overlay -o lowerdir=/host,upperdir=/disk/written,workdir=/disk/work overlay /root

for directory in proc sys dev; do mount --move "/$directory" "/root/$directory"; done
mount -t tmpfs -o mode=755 tmpfs /root/run
mkdir /root/vm /root/vm/jobs /root/vm/disk
cp /bin/busybox /start.sh /root/vm
# What needs a file system that is not an overlay itself, such as container layers, lies here.
mount --bind /disk/plain /root/vm/disk
mount -t 9p -o trans=virtio,version=9p2000.L,cache=none,msize=524288 jobs /root/vm/jobs
mkdir -p /root/usr/lib/modules
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro modules /root/usr/lib/modules
exec switch_root /root /vm/busybox sh /vm/start.sh
