#!/bin/sh
# Makes the captures that the cases here read. Needs root, tcpdump, curl, python3, and a built
# pktwho (its absolute path in PKTWHO). Times, ports and sequence numbers change with each run, so
# the outputs have to be blessed again after it.
#
#   http.pcap      curl and a small server in two network namespaces, one end of a veth, by tcpdump
#   owners.pcapng  the same over one loopback, by pktwho: both ends have an owner
#   damaged.pcap   the start of http.pcap
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd "$(dirname "$0")"
web=pktwho-golden-web
user=pktwho-golden-user
folder=$(mktemp -d)
trap 'ip netns del $web; ip netns del $user; rm -r "$folder"' EXIT
echo 'hello from the server' > "$folder/hello"

for namespace in $web $user; do
    ip netns add $namespace
    # Its neighbour discovery would stand between the packets we want.
    ip netns exec $namespace sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    ip netns exec $namespace sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
ip -n $web link add eth0 address 02:00:00:00:00:02 type veth \
    peer name eth0 address 02:00:00:00:00:01 netns $user
ip -n $web address add 192.0.2.2/24 dev eth0
ip -n $user address add 192.0.2.1/24 dev eth0
ip -n $web link set eth0 up
ip -n $web link set lo up
ip -n $user link set eth0 up

(cd "$folder" && exec ip netns exec $web python3 -m http.server --protocol HTTP/1.1 80) \
    > /dev/null 2>&1 &
server=$!
until ip netns exec $web ss -ltn | grep -q :80; do sleep 0.1; done

rm -f http.pcap owners.pcapng
ip netns exec $user tcpdump -U -c 14 -i eth0 --nano -w http.pcap &
capture=$!
until [ -s http.pcap ]; do sleep 0.1; done
ip netns exec $user curl -s http://192.0.2.2/hello
wait $capture
chmod 644 http.pcap
chown root: http.pcap
head -c 300 http.pcap > damaged.pcap

cp "$PKTWHO" "$folder/pktwho"
ip netns exec $web "$folder/pktwho" -i lo -w owners.pcapng -- curl -s http://127.0.0.1/hello
kill $server
