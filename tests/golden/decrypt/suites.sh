#!/bin/bash
# Captures a request and a response with every cipher suite that can be decrypted, into a folder:
# suites.pcap, suites.keys. Says how many there were. To be run in a network namespace of its own.
set -eu
cd "$1"
ip link set lo up
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ecdsa.pem \
    -out ecdsa-cert.pem -days 2 -subj /CN=localhost 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.pem \
    -out rsa-cert.pem -days 2 -subj /CN=localhost 2>/dev/null
: >suites.keys
tcpdump -Z root -i lo -U --immediate-mode -w suites.pcap tcp 2>/dev/null &
capture=$!
for _ in $(seq 100); do [ -s suites.pcap ] && break; sleep 0.05; done
sleep 0.3
count=0

talk() { # certificate, words for both sides
    port=$((5001 + count))
    openssl s_server -accept "$port" -cert "$1-cert.pem" -key "$1.pem" -quiet -www "${@:2}" \
        >/dev/null 2>&1 & server=$!
    for _ in $(seq 100); do ss -ltn | grep -q ":$port " && break; sleep 0.02; done
    (printf 'GET /%s HTTP/1.0\r\n\r\n' "$count"; sleep 0.2) | openssl s_client -quiet -no_ign_eof \
        -connect "127.0.0.1:$port" -keylogfile suites.keys "${@:2}" >/dev/null 2>&1 || true
    kill "$server"
    count=$((count + 1))
}

for suite in AES_128_GCM_SHA256 AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256 AES_128_CCM_SHA256 \
    AES_128_CCM_8_SHA256; do
    talk ecdsa -tls1_3 -ciphersuites "TLS_$suite"
done
for suite in AES128-GCM-SHA256 AES256-GCM-SHA384 CHACHA20-POLY1305 AES128-CCM AES256-CCM \
    AES128-CCM8 AES256-CCM8; do
    talk ecdsa -tls1_2 -cipher "ECDHE-ECDSA-$suite"
done
for suite in AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-CCM AES256-CCM8 ECDHE-RSA-AES128-GCM-SHA256 \
    ECDHE-RSA-CHACHA20-POLY1305 DHE-RSA-AES256-GCM-SHA384 DHE-RSA-CHACHA20-POLY1305; do
    talk rsa -tls1_2 -cipher "$suite"
done
for order in "" -no_etm; do
    for suite in AES128-SHA AES256-SHA AES128-SHA256 AES256-SHA384; do
        talk ecdsa -tls1_2 $order -cipher "ECDHE-ECDSA-$suite"
    done
    for suite in AES128-SHA AES256-SHA256 DHE-RSA-AES256-SHA DHE-RSA-AES128-SHA256; do
        talk rsa -tls1_2 $order -cipher "$suite"
    done
done
sleep 0.3
kill "$capture"
wait "$capture" || true
echo "$count"
