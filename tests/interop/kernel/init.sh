#!/bin/sh
# Process 1 of the guest: kernel modules from the package's own folder, then orders from the serial line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run

read -r release < /proc/sys/kernel/osrelease
mkdir -p /run/netns /run/lib/modules
ln -s "/usr/lib/uml/modules/$release" "/run/lib/modules/$release"
printf '#!/bin/sh\nexec modprobe -d /run "$@"\n' > /run/modprobe
chmod +x /run/modprobe
echo /run/modprobe > /proc/sys/kernel/modprobe
/run/modprobe -a ipv6 veth xfrm_user esp4 esp6 ah4 ah6

exec 0<> /dev/ttyS0 1>&0
stty raw -echo
echo "ready $release"
sh 2> /dev/console # not a terminal: no prompts
halt -f            # the other end of the line is gone
