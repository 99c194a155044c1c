//! DTLS and QUIC: the same secrets, in datagrams.

use super::suites::{hold, loader};
use super::{KEYS, Over, PLAIN, Row};

const DTLS: Over = Over {
    packets: "udp",
    stream: "udp.stream",
    port: "udp.port==4433,dtls",
    hello: "dtls.handshake.type == 1",
    plain: "dtls.handshake.type == 20",
};

const QUIC: Over = Over {
    packets: "udp",
    stream: "udp.stream",
    port: "udp.port==4433,quic",
    hello: "tls.handshake.type == 1",
    // HANDSHAKE_DONE, which only packets with the last keys have.
    plain: "quic.frame_type == 0x1e",
};

/// The server's input stays open.
const DTLS_ROW: Row = Row {
    server: "mkfifo $DIR/gate
     exec $DIR/server s_server -dtls1_2 -accept $PORT -cert $DIR/cert -key $DIR/key -quiet \
     -keylogfile $DIR/server.keys 0<>$DIR/gate",
    client: "$DIR/client s_client -dtls1_2 -connect $AT -sess_out $DIR/session </dev/null >/dev/null 2>&1
     $DIR/client s_client -dtls1_2 -connect $AT -sess_in $DIR/session </dev/null >/dev/null 2>&1",
    connections: 2,
    over: DTLS,
    ..PLAIN
};

/// A server of Debian 13 with HTTP/3 in Go, and its OpenSSL.
const QUIC_ROW: Row = Row {
    needs: "+trixie/usr/bin/caddy +trixie/usr/bin/openssl",
    server: "cat > $DIR/Caddyfile <<END
{
 auto_https off
 admin off
}
https://localhost:$PORT {
 tls $DIR/cert $DIR/key
 respond hello
}
END
     export HOME=$DIR
     exec $TLS/trixie/usr/bin/caddy run --config $DIR/Caddyfile",
    client: concat!(
        loader!("trixie"),
        // Its input ends when the server has said that the handshake is done.
        "sleep 0.3 | $OPENSSL s_client -quic -alpn h3 -connect $AT -servername localhost \
          -keylogfile $DIR/client.keys >/dev/null 2>&1"
    ),
    truth: KEYS,
    over: QUIC,
    ..PLAIN
};

pub const ROWS: &[Row] = &[
    Row {
        name: "DTLS 1.2 client, resumed",
        owner: "client",
        ..DTLS_ROW
    },
    Row {
        name: "DTLS 1.2 server, resumed",
        owner: "server",
        ..DTLS_ROW
    },
    Row {
        name: "QUIC client, OpenSSL 3.5",
        owner: "old",
        before: hold!("trixie"),
        ..QUIC_ROW
    },
    Row {
        name: "QUIC server, caddy (Go)",
        owner: "caddy",
        without: "EXPORTER_SECRET",
        ..QUIC_ROW
    },
];
