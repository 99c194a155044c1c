//! Servers that keep no key log, and sessions that are resumed: the client's key log is the truth. GnuTLS's
//! own, where it hands on other secrets than OpenSSL: those of early data, and none when TLS 1.2 resumes.

use super::{
    ASK_FOUR, FINISHED, KEYS, OPEN_GATE, OWN_KEYS, Over, PLAIN, Row, TLS, ask, copied, go, waiting,
};

const SERVER: Row = Row {
    client: ASK_FOUR,
    truth: KEYS,
    connections: 4,
    ..PLAIN
};

/// A client that is linked to a library of its own.
macro_rules! own_library {
    () => {
        concat!(
            copied!("$DIR/lib"),
            "cat > $DIR/own.c <<'END'\n",
            include_str!("../../../programs/tls_client.c"),
            "END\ngcc -O2 -s -o $DIR/own $DIR/own.c -lssl -lcrypto"
        )
    };
}

/// A client with GnuTLS in it, stripped of all but what it exports, if anything. Of p11-kit there is no archive.
macro_rules! static_gnutls {
    ($flags:literal) => {
        concat!(
            "cat > $DIR/inner.c <<'END'\n",
            include_str!("../../../programs/tls_client_gnutls.c"),
            "END\ngcc -O2 -s ",
            $flags,
            " -o $DIR/inner $DIR/inner.c -Wl,-Bstatic -lgnutls -lhogweed -lnettle -lgmp \
       -ltasn1 -lidn2 -lunistring -Wl,-Bdynamic -lp11-kit"
        )
    };
}

const STATIC_GNUTLS: Row = Row {
    needs: "gcc /usr/include/gnutls/gnutls.h /usr/include/unistr.h",
    before: waiting!("inner"),
    client: OPEN_GATE,
    owner: "inner",
    ..PLAIN
};

pub const ROWS: &[Row] = &[
    Row {
        name: "GnuTLS, static",
        prepare: static_gnutls!("-rdynamic"),
        ..STATIC_GNUTLS
    },
    Row {
        name: "GnuTLS, static, no exports",
        prepare: static_gnutls!(""),
        ..STATIC_GNUTLS
    },
    Row {
        name: "gnutls-cli resumed",
        needs: "gnutls-cli",
        client: "export SSLKEYLOGFILE=$DIR/own.keys
                 for version in 1.2 1.3; do
                   printf 'GET / HTTP/1.0\\r\\n\\r\\n' | gnutls-cli --insecure -p $PORT 127.0.0.1 --resume \\
                     --priority NORMAL:-VERS-ALL:+VERS-TLS$version >/dev/null
                 done",
        owner: "gnutls-cli",
        truth: OWN_KEYS,
        connections: 4,
        over: Over {
            plain: FINISHED,
            ..TLS
        },
        ..PLAIN
    },
    Row {
        name: "gnutls-serv resumed",
        needs: "gnutls-serv",
        server: "SSLKEYLOGFILE=$DIR/own.keys exec gnutls-serv --http --port $PORT --x509certfile $DIR/cert --x509keyfile $DIR/key",
        owner: "gnutls-serv",
        truth: OWN_KEYS,
        ..SERVER
    },
    Row {
        name: "nginx workers resumed",
        needs: "nginx",
        server: "cat > $DIR/conf <<END
user root; worker_processes 4; pid $DIR/pid; error_log $DIR/error; events {}
http { access_log off; ssl_session_cache shared:all:1m;
  ssl_protocols TLSv1.2 TLSv1.3; server { listen $AT ssl reuseport; root $DIR;
  ssl_certificate $DIR/cert; ssl_certificate_key $DIR/key; } }
END
                 exec nginx -p $DIR -c $DIR/conf -g 'daemon off;'",
        owner: "nginx",
        ..SERVER
    },
    Row {
        name: "python3 server resumed",
        needs: "/usr/bin/python3",
        server: "exec /usr/bin/python3 -c '
import http.server, os, ssl
at = (\"127.0.0.1\", int(os.environ[\"PORT\"]))
server = http.server.HTTPServer(at, http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(\"cert\", \"key\")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()'",
        owner: "python3",
        ..SERVER
    },
    Row {
        name: "node server resumed",
        needs: "node",
        server: "exec node -e '
const fs = require(\"fs\");
const files = {cert: fs.readFileSync(\"cert\"), key: fs.readFileSync(\"key\")};
const server = require(\"https\").createServer(files, (_, answer) => answer.end(\"hello\"));
server.listen(process.env.PORT, \"127.0.0.1\")'",
        owner: "node",
        ..SERVER
    },
    Row {
        // It hands on no secret when TLS 1.2 resumes.
        name: "go server, 1.3 resumed",
        needs: "go",
        prepare: concat!(
            go!(),
            "cat > $DIR/server.go <<'END'\n",
            include_str!("../../../programs/tls_server.go"),
            "END\ngo build -ldflags '-s -w' -o go-server server.go"
        ),
        server: "exec $DIR/go-server $PORT",
        client: concat!(
            ask!("-tls1_2 -keylogfile $DIR/client.keys"),
            ask!("-tls1_3 -sess_out $DIR/session -keylogfile $DIR/client.keys"),
            ask!("-tls1_3 -sess_in $DIR/session -keylogfile $DIR/client.keys")
        ),
        connections: 3,
        owner: "go-server",
        without: "EXPORTER_SECRET",
        ..SERVER
    },
    Row {
        name: "deleted library, client",
        needs: "gcc",
        prepare: own_library!(),
        before: concat!(
            "export LD_LIBRARY_PATH=$DIR/lib\n",
            waiting!("own"),
            "\nrm -r $DIR/lib"
        ),
        client: OPEN_GATE,
        owner: "own",
        ..PLAIN
    },
];
