//! The rows of the table of TLS secrets. Scripts run in sh with `DIR` (their folder), `PORT`, and
//! `AT` (address and port); `$DIR/server` and `$DIR/client` are openssl under these names. Rows that
//! need them have `TLS`, what `cargo xtask tls` has fetched and built, and `DOCKER`, the `docker` program.
//! The process whose number is in `$DIR/held.pid` is ended behind all.

mod containers;
mod copies;
mod datagrams;
mod long;
mod servers;
mod suites;

/// One case of the table.
pub struct Row {
    pub name: &'static str,
    /// Programs without which it is skipped. `+` before a path below `$TLS`, and `+docker`.
    pub needs: &'static str,
    /// Done first.
    pub prepare: &'static str,
    /// Becomes the server.
    pub server: &'static str,
    /// Done when the server listens, before the capture.
    pub before: &'static str,
    /// Done while capturing.
    pub client: &'static str,
    /// The name of the process whose secrets are asked for: nobody else's may be found.
    pub owner: &'static str,
    /// The key log that a program wrote itself.
    pub truth: &'static str,
    /// A label of the truth that the library of the owner never hands on.
    pub without: &'static str,
    /// How many connections the client makes, or [`ANY`].
    pub connections: usize,
    /// The program is met first when it starts, and may be faster than we are on a busy machine:
    /// all secrets have to be there in one of a few plays. Wrong ones are wrong all the same.
    pub race: bool,
    /// One that the program may win every time: it is as fast as we are in finding where to look.
    pub lost: bool,
    /// Whether it is played only when asked for.
    pub long: bool,
    /// What its connections are made of.
    pub over: Over,
}

/// As many connections as the client likes.
pub const ANY: usize = 0;

/// What connections are made of, and what tshark shows of them.
pub struct Over {
    /// In filters of captures.
    pub packets: &'static str,
    /// tshark's number of a connection.
    pub stream: &'static str,
    /// What tshark is told about the port.
    pub port: &'static str,
    /// Seen of a handshake.
    pub hello: &'static str,
    /// Seen of a connection that is decrypted, and of no other.
    pub plain: &'static str,
}

pub const TLS: Over = Over {
    packets: "tcp",
    stream: "tcp.stream",
    port: "tcp.port==4433,tls",
    hello: "tls.handshake.type == 1",
    plain: "http",
};

/// The first message that is encrypted, for connections that carry no requests.
const FINISHED: &str = "tls.handshake.type == 20";

/// How a row is played.
impl Row {
    /// Whether it needs nothing that `cargo xtask tls` fetches or builds.
    pub fn is_plain(&self) -> bool {
        !self.long && self.fixtures().next().is_none()
    }

    /// What it needs below `$TLS`.
    pub fn fixtures(&self) -> impl Iterator<Item = &'static str> {
        let words = self.needs.split_whitespace();
        words.filter_map(|word| word.strip_prefix('+').filter(|name| *name != "docker"))
    }

    /// Whether it is played on the host of the containers.
    pub fn in_docker(&self) -> bool {
        self.needs.split_whitespace().any(|word| word == "+docker")
    }

    /// What it needs that is installed.
    pub fn programs(&self) -> impl Iterator<Item = &'static str> {
        let words = self.needs.split_whitespace();
        words.filter(|word| !word.starts_with('+'))
    }
}

const SERVER: &str = "exec $DIR/server s_server -accept $PORT -cert $DIR/cert -key $DIR/key -www -quiet \
     -keylogfile $DIR/server.keys";

/// Nothing but a client that knows nothing of key logs, and a server that writes one.
pub const PLAIN: Row = Row {
    name: "",
    needs: "",
    prepare: "",
    server: SERVER,
    before: "",
    client: "",
    owner: "",
    truth: "server.keys",
    without: "",
    connections: 1,
    race: false,
    lost: false,
    long: false,
    over: TLS,
};

/// A copy of the system's libssl, and openssl with it, in a folder of its own.
macro_rules! copied {
    ($folder:literal) => {
        concat!(
            "mkdir -p ", $folder, "
             for file in $(ldd $(command -v openssl) | sed -n 's/.*=> \\(.*lib\\(ssl\\|crypto\\)[^ ]*\\) .*/\\1/p')
             do cp $file ", $folder, "; done\n"
        )
    };
}

/// Source and settings of Go programs.
macro_rules! go {
    () => {
        concat!(
            "export HOME=$DIR GOCACHE=${GOCACHE:-/var/tmp/pktwho-go-cache} GOFLAGS=-mod=mod GO111MODULE=off
             cat > $DIR/client.go <<'END'\n",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/programs/tls_client.go")),
            "END\n"
        )
    };
}

pub const STATIC: &str = concat!(
    "cat > $DIR/static.c <<'END'\n",
    include_str!("../../programs/tls_client.c"),
    "END\ngcc -O2 -s -static -o $DIR/static $DIR/static.c -lssl -lcrypto 2>/dev/null
ln -s $DIR/static $DIR/original"
);

/// `$DIR/inside.sh` for `gone.rs`: a file system with a library of its own, held until it is killed.
pub const INSIDE: &str = concat!(
    "mkdir $DIR/own; mkfifo $DIR/gate
     cat > $DIR/inside.sh <<'END'
     mount -t tmpfs none $DIR/own\n",
    copied!("$DIR/own/lib"),
    "export LD_LIBRARY_PATH=$DIR/own/lib
     exec openssl base64 0<>$DIR/gate\nEND"
);

/// Programs for `starts.rs`.
pub const START_GO: &str = concat!(go!(), "go build -o original client.go");
pub const START_PYTHON: (&str, &str) = (
    copied!("$DIR/original"),
    "LD_LIBRARY_PATH=$COPY /usr/bin/python3 -c '
import os, ssl, urllib.request
context = ssl._create_unverified_context()
urllib.request.urlopen(\"https://\" + os.environ[\"AT\"], context=context).read()'",
);

/// Starts a client that waits for a byte.
macro_rules! waiting {
    ($program:literal) => {
        concat!(
            "mkfifo $DIR/gate
             $DIR/",
            $program,
            " $PORT 0<>$DIR/gate >/dev/null 2>&1 & echo $! > $DIR/pid
             until grep -q ",
            $program,
            " /proc/$(cat $DIR/pid)/comm; do :; done"
        )
    };
}

/// Lets it go, and waits until it has ended.
const OPEN_GATE: &str =
    "echo > $DIR/gate; while test -e /proc/$(cat $DIR/pid)/exe; do sleep 0.01; done";

const GO: Row = Row {
    needs: "go",
    before: waiting!("go-client"),
    client: OPEN_GATE,
    owner: "go-client",
    without: "EXPORTER_SECRET",
    ..PLAIN
};

/// `openssl s_client` asks for a page, or a program that takes the same words. Connections are counted
/// in the capture: a server that closes without a word is no failure here.
macro_rules! ask {
    (by $program:literal, $($words:literal),*) => {
        concat!(
            "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | ", $program, " s_client -connect $AT -ign_eof",
            $(" ", $words,)*
            " >/dev/null 2>&1 || :\n"
        )
    };
    ($($words:literal),*) => {
        ask!(by "$DIR/client", $($words),*)
    };
}

/// Four connections: TLS 1.2 and resumed, 1.3 and resumed.
macro_rules! ask_four {
    (by $program:literal, $words:literal) => {
        concat!(
            ask!(by $program, "-tls1_2 -sess_out $DIR/session", $words),
            ask!(by $program, "-tls1_2 -sess_in $DIR/session", $words),
            ask!(by $program, "-tls1_3 -sess_out $DIR/session", $words),
            ask!(by $program, "-tls1_3 -sess_in $DIR/session", $words)
        )
    };
    ($words:literal) => {
        ask_four!(by "$DIR/client", $words)
    };
}
use {ask, ask_four, copied, go, waiting};

/// For a server that keeps no key log.
const ASK_FOUR: &str = ask_four!("-keylogfile $DIR/client.keys");

const KEYS: &str = "client.keys";
/// Of the process that is looked at.
const OWN_KEYS: &str = "own.keys";

macro_rules! openssl {
    ($name:literal, $owner:literal, $connections:literal, $client:expr) => {
        Row {
            name: $name,
            client: $client,
            owner: $owner,
            connections: $connections,
            ..PLAIN
        }
    };
}

/// All rows, in the order in which they are played and printed.
pub fn all() -> impl Iterator<Item = &'static Row> {
    let others = [
        copies::ROWS,
        servers::ROWS,
        containers::ROWS,
        datagrams::ROWS,
        suites::ROWS,
        long::ROWS,
    ];
    ROWS.iter().chain(others.into_iter().flatten())
}

const ROWS: &[Row] = &[
    openssl!("openssl client 1.2", "client", 1, ask!("-tls1_2")),
    openssl!("openssl client 1.3", "client", 1, ask!("-tls1_3")),
    openssl!(
        "openssl client 1.2 resumed",
        "client",
        2,
        concat!(
            ask!("-tls1_2 -sess_out $DIR/session"),
            ask!("-tls1_2 -sess_in $DIR/session")
        )
    ),
    openssl!(
        "openssl client 1.3 resumed",
        "client",
        2,
        concat!(
            ask!("-tls1_3 -sess_out $DIR/session"),
            ask!("-tls1_3 -sess_in $DIR/session")
        )
    ),
    openssl!("openssl server 1.2", "server", 1, ask!("-tls1_2")),
    openssl!("openssl server 1.3", "server", 1, ask!("-tls1_3")),
    openssl!("openssl server resumed", "server", 4, ask_four!("")),
    Row {
        name: "curl",
        needs: "curl",
        client: "curl -sk https://$AT/ -o /dev/null
                 curl -sk --tls-max 1.2 https://$AT/ -o /dev/null",
        owner: "curl",
        connections: 2,
        ..PLAIN
    },
    Row {
        name: "wget (GnuTLS)",
        needs: "wget",
        client: "wget -q --no-check-certificate https://$AT/ -O /dev/null",
        owner: "wget",
        ..PLAIN
    },
    Row {
        name: "gnutls-cli 1.2, 1.3",
        needs: "gnutls-cli",
        client: "for version in 1.2 1.3; do
                   printf 'GET / HTTP/1.0\\r\\n\\r\\n' | gnutls-cli --insecure -p $PORT 127.0.0.1 \\
                     --priority NORMAL:-VERS-ALL:+VERS-TLS$version >/dev/null
                 done",
        owner: "gnutls-cli",
        connections: 2,
        ..PLAIN
    },
    Row {
        name: "gnutls-serv",
        needs: "gnutls-serv",
        server: "exec gnutls-serv --http --port $PORT --x509certfile $DIR/cert --x509keyfile $DIR/key",
        client: concat!(
            ask!("-tls1_2 -keylogfile $DIR/client.keys"),
            ask!("-tls1_3 -keylogfile $DIR/client.keys")
        ),
        owner: "gnutls-serv",
        truth: KEYS,
        connections: 2,
        ..PLAIN
    },
    Row {
        name: "python3",
        needs: "/usr/bin/python3",
        client: "/usr/bin/python3 -c '
import os, ssl, urllib.request
context = ssl._create_unverified_context()
urllib.request.urlopen(\"https://\" + os.environ[\"AT\"], context=context).read()'",
        owner: "python3",
        ..PLAIN
    },
    Row {
        name: "python3 children",
        needs: "/usr/bin/python3",
        client: "/usr/bin/python3 -c '
import os, ssl, urllib.request
for child in range(5):
    if os.fork() == 0:
        context = ssl._create_unverified_context()
        urllib.request.urlopen(\"https://\" + os.environ[\"AT\"], context=context).read()
        os._exit(0)
for child in range(5):
    os.wait()'",
        owner: "python3",
        connections: 5,
        ..PLAIN
    },
    Row {
        name: "python3, library unseen",
        needs: "/usr/bin/python3",
        prepare: copied!("$DIR/lib"),
        client: "LD_LIBRARY_PATH=$DIR/lib /usr/bin/python3 -c '
import os, ssl, urllib.request
context = ssl._create_unverified_context()
urllib.request.urlopen(\"https://\" + os.environ[\"AT\"], context=context).read()'",
        owner: "python3",
        race: true,
        ..PLAIN
    },
    Row {
        name: "node",
        needs: "node",
        before: "mkfifo $DIR/gate
             node -e '
const https = require(\"https\");
const any = {rejectUnauthorized: false};
const end = answer => answer.on(\"end\", () => process.exit()).resume();
process.stdin.once(\"data\", () => https.get(\"https://\" + process.env.AT, any, end))
' 0<>$DIR/gate >/dev/null 2>&1 & echo $! > $DIR/pid
             until grep -q node /proc/$(cat $DIR/pid)/comm; do :; done",
        client: OPEN_GATE,
        owner: "node",
        ..PLAIN
    },
    Row {
        name: "node, started meanwhile",
        needs: "node",
        client: "node -e '
const https = require(\"https\");
const any = {rejectUnauthorized: false};
https.get(\"https://\" + process.env.AT, any, answer => answer.resume())'",
        owner: "node",
        race: true,
        lost: true,
        ..PLAIN
    },
    Row {
        name: "nginx workers",
        needs: "nginx",
        server: "cat > $DIR/conf <<END
user root; worker_processes 4; pid $DIR/pid; error_log $DIR/error; events {}
http { access_log off; server { listen $AT ssl reuseport; root $DIR;
  ssl_certificate $DIR/cert; ssl_certificate_key $DIR/key; } }
END
                 exec nginx -p $DIR -c $DIR/conf -g 'daemon off;'",
        client: "for number in 1 2 3 4 5 6; do
                   SSLKEYLOGFILE=$DIR/client.keys curl -sk https://$AT/conf -o /dev/null
                 done",
        owner: "nginx",
        truth: KEYS,
        connections: 6,
        ..PLAIN
    },
    Row {
        name: "own mount namespace",
        needs: "unshare",
        client: concat!(
            "mkdir $DIR/own
             cat > $DIR/inside.sh <<'END'
             mount -t tmpfs none $DIR/own\n",
            copied!("$DIR/own/lib"),
            "cp $(command -v openssl) $DIR/own/inside
             export LD_LIBRARY_PATH=$DIR/own/lib
             for number in 1 2; do
               printf 'GET / HTTP/1.0\\r\\n\\r\\n' |
                 $DIR/own/inside s_client -connect $AT -ign_eof >/dev/null 2>&1
             done\nEND
             unshare -m sh -e $DIR/inside.sh"
        ),
        race: true,
        connections: 2,
        owner: "inside",
        ..PLAIN
    },
    Row {
        name: "deleted library, server",
        prepare: copied!("$DIR/lib"),
        server: "export LD_LIBRARY_PATH=$DIR/lib; exec $DIR/server s_server -accept $PORT -cert $DIR/cert \
                 -key $DIR/key -www -quiet -keylogfile $DIR/server.keys",
        before: "rm -r $DIR/lib",
        client: concat!(ask!("-tls1_2"), ask!("-tls1_3")),
        owner: "server",
        connections: 2,
        ..PLAIN
    },
    Row {
        name: "static, stripped",
        needs: "gcc",
        prepare: STATIC,
        before: waiting!("static"),
        client: OPEN_GATE,
        owner: "static",
        ..PLAIN
    },
    Row {
        name: "static, started meanwhile",
        needs: "gcc",
        prepare: STATIC,
        client: "$DIR/static $PORT </dev/null",
        owner: "static",
        race: true,
        ..PLAIN
    },
    Row {
        name: "go client",
        prepare: concat!(go!(), "go build -o go-client client.go"),
        ..GO
    },
    Row {
        name: "go client -s -w",
        prepare: concat!(go!(), "go build -ldflags '-s -w' -o go-client client.go"),
        ..GO
    },
    Row {
        name: "go client PIE -s -w",
        prepare: concat!(
            go!(),
            "go build -buildmode=pie -ldflags '-s -w' -o go-client client.go"
        ),
        ..GO
    },
    Row {
        name: "go client, started meanwhile",
        prepare: concat!(go!(), "go build -o go-client client.go"),
        before: "",
        client: "$DIR/go-client $PORT </dev/null",
        race: true,
        ..GO
    },
    Row {
        name: "go client, external link",
        prepare: concat!(
            go!(),
            "CGO_ENABLED=1 go build -ldflags '-linkmode=external -s -w' -o go-client client.go"
        ),
        needs: "go gcc",
        ..GO
    },
];
