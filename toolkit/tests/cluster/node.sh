#!/usr/bin/env bash
# The first process of a Slurm cluster in namespaces of its own (mounts, processes, network, host
# name): node.py starts it with `unshare`. It ends, and with it all that is in the namespaces, when
# its standard input does. The machine sees nothing of what is mounted, installed or running here.
#
# node.sh NODES DEBS CONF FOLDER UID PASSED...
#   NODES    1 or 2; node2 has a network and a disk of its own, and a cable to node1
#   DEBS     folder with those of Debian's packages of Slurm and munge that the machine lacks
#   CONF     folder with slurm.conf and the prologs
#   FOLDER   its `home` becomes /srv/home, its `scratch` /srv/scratch, of node2 its `scratch2`
#   UID      of the user `student`
#   PASSED   folders on the way to the tools that only root may pass: here everybody may
set -euo pipefail
nodes=$1 debs=$2 conf=$3 folder=$4 uid=$5
shift 5

mount -t tmpfs -o mode=755 tmpfs /srv
layers=/srv/.layers
# Writes below a folder go to memory; what the machine has there shows through.
cover() {
  local layer="$layers/${1//\//_}"
  mkdir -p "$layer/work"
  install -d -m "${2:-755}" "$layer/upper"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$layer/upper,workdir=$layer/work" "$1"
}
for own in home scratch scratch2; do
  mkdir "/srv/$own"
  mount --bind "$folder/$own" "/srv/$own"
done
for passed in /usr /etc /var "$@"; do cover "$passed"; done
cover /tmp 1777
mount -t tmpfs -o mode=755 tmpfs /run

# Unpacked, not installed: nothing of theirs starts.
for deb in "$debs"/*.deb; do
  [ -e "$deb" ] && dpkg-deb --extract "$deb" "$layers/packages"
done
for top in usr etc lib; do
  [ ! -d "$layers/packages/$top" ] || cp -a "$layers/packages/$top/." "$(readlink -f "/$top")/"
done
for name in slurmctld slurmd slurmstepd; do # which the packages' own set-up would link
  [ -e "/usr/sbin/$name" ] || ln -s "$name-wlm" "/usr/sbin/$name"
done
ldconfig
install -D -t /etc/slurm "$conf"/*
mkdir -p /var/spool/slurmctld /var/spool/slurmd-node{1,2}
install -d -m 700 /etc/munge /var/lib/munge /var/log/munge
install -d -m 755 /run/munge
head -c 128 /dev/urandom >/etc/munge/munge.key
chmod 400 /etc/munge/munge.key
grep -q ^student: /etc/passwd ||
  echo "student:x:$uid:$uid::/srv/home/student:/bin/bash" >>/etc/passwd
grep -q ^student: /etc/group || echo "student:x:$uid:" >>/etc/group

for number in 1 2; do echo "10.99.0.$number node$number" >>/etc/hosts; done

# What the second node does: all but the controller, on a network that its starter gives it.
second() {
  hostname node2
  mount --bind /srv/scratch2 /srv/scratch
  ip link set lo up
  until ip link set cable2 up 2>/dev/null; do sleep 0.05; done
  ip address add 10.99.0.2/24 dev cable2
  until slurmd; do sleep 0.1; done
  exec sleep infinity
}

# Slurm cannot do with 127.0.0.1: an address of its own, on the loopback device or the cable.
hostname node1
ip link set lo up
if ((nodes == 2)); then
  echo "NodeName=node2 NodeAddr=10.99.0.2 CPUs=2 RealMemory=8000" >>/etc/slurm/slurm.conf
  unshare -m -n -u bash -c "$(declare -f second); second" &
  while [ "/proc/$!/ns/net" -ef /proc/self/ns/net ]; do sleep 0.05; done
  ip link add name cable1 type veth peer name cable2 netns "$!"
  ip link set cable1 up
  ip address add 10.99.0.1/24 dev cable1
else
  ip address add 10.99.0.1/32 dev lo
fi

munged --force --socket=/run/munge/munge.socket.2 # --force: as root
slurmctld
slurmd
for _ in {1..200}; do
  if [ "$(sinfo --noheader --states=idle --format=%D 2>/dev/null)" = "$nodes" ]; then
    echo ready
    break
  fi
  sleep 0.05
done
read -r || true
