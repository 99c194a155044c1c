#!/bin/bash
# Makes the captures of this folder anew: real programs talk over a loopback device of their own,
# and their key logs are put into the files. Needs root (or a user namespace), tcpdump, editcap,
# openssl, curl and node. The expected output then has to be blessed again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "${1-}" != inside ]; then
    exec unshare -n "$here/generate.sh" inside
fi
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
ip link set lo up
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem \
    -out cert.pem -days 30 -subj /CN=localhost 2>/dev/null
cat >server.js <<'JS'
const fs = require('fs'), http2 = require('http2');
const options = {key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem'), allowHTTP1: true};
http2.createSecureServer(options, (request, response) => {
    if (request.url == '/none') { response.writeHead(204); response.end(); }
    else if (request.url == '/chunks') {
        response.writeHead(200, {'content-type': 'text/plain'});
        response.write('first');
        setTimeout(() => response.end('HTTP/1.1 500 in a body\r\n'), 20);
    } else {
        response.writeHead(200, {'content-type': 'text/plain', 'x-long': 'y'.repeat(300)});
        response.end('hello '.repeat(500) + request.url);
    }
}).listen(+process.argv[2], '::');
JS

until_listening() { for _ in $(seq 100); do ss -ltn | grep -q ":$1 " && return; sleep 0.05; done; }

begin() { # name
    : >"$1.keys"
    tcpdump -Z root -i lo -U --immediate-mode -w "$1.pcap" tcp 2>/dev/null &
    capture=$!
    for _ in $(seq 100); do [ -s "$1.pcap" ] && break; sleep 0.05; done
    sleep 0.3
}

end() { # name
    sleep 0.4
    kill "$server" || true
    sleep 0.2
    kill "$capture"
    wait "$capture" || true
    editcap --inject-secrets "tls,$1.keys" "$1.pcap" "$here/$1.pcapng"
}

web() { # name port words for curl
    begin "$1"
    node server.js "$2" & server=$!
    until_listening "$2"
    SSLKEYLOGFILE=$1.keys curl -sk "${@:3}" >/dev/null || true
    end "$1"
}

serve() { # port words for s_server, which says what it is told
    openssl s_server -accept "$1" -cert cert.pem -key key.pem "${@:2}" <&0 >/dev/null 2>&1 & server=$!
    until_listening "$1"
}

client() { # name port words for s_client
    openssl s_client -connect "127.0.0.1:$2" -keylogfile "$1.keys" "${@:3}" >/dev/null 2>&1 || true
}

local=https://localhost
web http1 4431 --tls13-ciphers TLS_AES_128_GCM_SHA256 $local:4431/a $local:4431/none $local:4431/chunks -d x=1 --http1.1
web http2 4432 --tls13-ciphers TLS_CHACHA20_POLY1305_SHA256 --http2 'https://[::1]:4432/a' \
    'https://[::1]:4432/none' 'https://[::1]:4432/chunks' -H 'x-token: one'
web http2-tls12 4433 --tls-max 1.2 --http2 -I $local:4433/a $local:4433/b

begin update
serve 4434 -rev -tls1_3
(sleep 0.3; echo one; sleep 0.2; echo K; sleep 0.2; echo two; sleep 0.2; echo k; sleep 0.2
    echo three; sleep 0.2) | client update 4434 -ciphersuites TLS_AES_256_GCM_SHA384
end update

begin renegotiated
serve 4435 -rev -tls1_2 -client_renegotiation -cipher ECDHE-ECDSA-AES128-CCM8
(sleep 0.3; echo one; sleep 0.2; echo R; sleep 0.3; echo two; sleep 0.2) |
    client renegotiated 4435 -cipher ECDHE-ECDSA-AES128-CCM8
end renegotiated

begin early
serve 4436 -early_data -tls1_3 < <(for i in $(seq 30); do sleep 0.2; echo "line $i"; done)
printf 'GET /early HTTP/1.0\r\n\r\n' >early.txt
(sleep 0.4; echo one; sleep 0.2) | client early 4436 -sess_out session
(sleep 0.4; echo two; sleep 0.2) | client early 4436 -sess_in session -early_data early.txt
end early

begin retry
serve 4437 -rev -groups P-384
(sleep 0.3; echo one; sleep 0.2) | client retry 4437 -groups X25519:P-384
end retry

# By a ticket, by an identifier, and one whose first connection is not in the file. Only the first
# connections' secrets are: many libraries hand on no others.
serve 4441 -rev -tls1_2
(sleep 0.3; echo none; sleep 0.2) | client other 4441 -sess_out strange
begin resumed
(sleep 0.3; echo one; sleep 0.2) | client resumed 4441 -sess_out session
(sleep 0.3; echo two; sleep 0.2) | client other 4441 -sess_in session
(sleep 0.3; echo three; sleep 0.2) | client other 4441 -sess_in strange
kill "$server"
serve 4442 -rev -tls1_2 -no_ticket
(sleep 0.3; echo four; sleep 0.2) | client resumed 4442 -sess_out session
(sleep 0.3; echo five; sleep 0.2) | client other 4442 -sess_in session
end resumed

begin cbc
serve 4438 -rev -tls1_2
(sleep 0.3; echo one; sleep 0.2) | client cbc 4438 -cipher ECDHE-ECDSA-AES128-SHA
end cbc

begin unsupported
serve 4440 -rev -tls1_2 -cipher ECDHE-ECDSA-ARIA128-GCM-SHA256
(sleep 0.3; echo one; sleep 0.2) | client unsupported 4440 -cipher ECDHE-ECDSA-ARIA128-GCM-SHA256
end unsupported

begin unknown
serve 4439 -rev
(sleep 0.3; echo one; sleep 0.2) | client other 4439
cp update.keys unknown.keys
end unknown
