//! Libraries of Debian's other releases, run by the C library that they were made for: as in a
//! container, but for the namespaces.

use super::{ASK_FOUR, KEYS, OWN_KEYS, PLAIN, Row, ask, ask_four};

/// `$ROOT` of a release, `$DIR/old`, which is its loader, and `$OPENSSL`.
macro_rules! loader {
    ($release:literal) => {
        concat!(
            "ROOT=$TLS/",
            $release,
            "
             ln -sf $(ls $ROOT/lib/*-linux-gnu/ld-linux-*.so.* $ROOT/usr/lib/*-linux-gnu/ld-linux-*.so.* 2>/dev/null |
               head -n 1) $DIR/old
             OLD=\"$DIR/old --library-path $(echo $ROOT/lib/*-linux-gnu $ROOT/usr/lib/*-linux-gnu | tr ' ' :)\"
             OPENSSL=\"$OLD $ROOT/usr/bin/openssl\"
             export OPENSSL_CONF=/dev/null\n"
        )
    };
}

/// Somebody has the libraries mapped when the capture begins: it is no race.
macro_rules! hold {
    ($release:literal) => {
        hold!($release, "$OPENSSL base64", "libssl")
    };
    ($release:literal, $command:literal, $library:literal) => {
        concat!(
            loader!($release),
            "mkfifo $DIR/held
             timeout 60 ",
            $command,
            " 0<>$DIR/held >/dev/null 2>&1 & echo $! > $DIR/held.pid
             until grep -q $ROOT.*",
            $library,
            " /proc/[0-9]*/maps 2>/dev/null; do :; done"
        )
    };
}
pub(super) use {hold, loader};

macro_rules! rows {
    ($($release:literal $openssl:literal $gnutls:literal,)*) => {
        &[$(
            Row {
                name: concat!("OpenSSL ", $openssl, " client"),
                needs: concat!("+", $release, "/usr/bin/openssl"),
                before: hold!($release),
                client: concat!(loader!($release), ask_four!(by "$OPENSSL", "")),
                owner: "old",
                connections: 4,
                ..PLAIN
            },
            Row {
                name: concat!("OpenSSL ", $openssl, " server"),
                needs: concat!("+", $release, "/usr/bin/openssl"),
                server: concat!(
                    loader!($release),
                    "exec $OPENSSL s_server -accept $PORT -cert $DIR/cert -key $DIR/key -www -quiet"
                ),
                client: ASK_FOUR,
                owner: "old",
                truth: KEYS,
                connections: 4,
                ..PLAIN
            },
            Row {
                name: concat!("GnuTLS ", $gnutls, " client"),
                needs: concat!("+", $release, "/usr/bin/gnutls-cli"),
                before: hold!(
                    $release,
                    "$OLD $ROOT/usr/bin/gnutls-serv --echo --port 4434",
                    "libgnutls"
                ),
                client: concat!(
                    loader!($release),
                    "for version in 1.2 1.3; do
                       printf 'GET / HTTP/1.0\\r\\n\\r\\n' | $OLD $ROOT/usr/bin/gnutls-cli --insecure \\
                         -p $PORT 127.0.0.1 --priority NORMAL:-VERS-ALL:+VERS-TLS$version >/dev/null
                     done"
                ),
                owner: "old",
                connections: 2,
                ..PLAIN
            },
            Row {
                name: concat!("GnuTLS ", $gnutls, " server"),
                needs: concat!("+", $release, "/usr/bin/gnutls-serv"),
                server: concat!(
                    loader!($release),
                    "SSLKEYLOGFILE=$DIR/own.keys exec $OLD $ROOT/usr/bin/gnutls-serv --http --port $PORT \\
                       --x509certfile $DIR/cert --x509keyfile $DIR/key"
                ),
                client: ASK_FOUR,
                owner: "old",
                truth: OWN_KEYS,
                connections: 4,
                ..PLAIN
            },
        )*]
    };
}

pub const ROWS: &[Row] = rows! {
    "bullseye" "1.1.1 (Debian 11)" "3.7.1 (Debian 11)",
    "trixie" "3.5 (Debian 13)" "3.8.9 (Debian 13)",
    "sid" "of Debian sid" "of Debian sid",
};
