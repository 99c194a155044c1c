//! What takes minutes to make or is large: an OpenSSL that is optimised when it is linked, a browser.

use super::{ANY, ASK_FOUR, FINISHED, KEYS, OWN_KEYS, Over, PLAIN, Row, TLS, ask, ask_four};

/// Its functions are not what the sources say: they are taken apart and put into each other.
const OPTIMISED: Row = Row {
    needs: "+openssl-lto",
    prepare: "ln -s $TLS/openssl-lto $DIR/optimised",
    owner: "optimised",
    connections: 4,
    ..PLAIN
};

/// A browser without a screen that talks to nobody but our server.
macro_rules! browse {
    ($profile:literal, $words:literal) => {
        concat!(
            "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
               --disable-background-networking --disable-component-update --disable-sync \
               --ignore-certificate-errors --user-data-dir=$DIR/",
            $profile,
            " ",
            $words,
            " >/dev/null 2>&1"
        )
    };
}

pub const ROWS: &[Row] = &[
    Row {
        name: "chromium (BoringSSL)",
        needs: "chromium",
        // One that runs already: its file is large.
        before: concat!(
            "export HOME=$DIR\ntimeout 90 ",
            browse!("held", "--remote-debugging-port=0 about:blank"),
            " & echo $! > $DIR/held.pid
             until grep -q /chromium/chromium /proc/[0-9]*/maps 2>/dev/null; do :; done"
        ),
        client: concat!(
            "export HOME=$DIR SSLKEYLOGFILE=$DIR/own.keys\ntimeout 60 ",
            browse!("one", "--dump-dom https://$AT/"),
            "\ntimeout 60 ",
            browse!("two", "--ssl-version-max=tls1.2 --dump-dom https://$AT/")
        ),
        owner: "chromium",
        truth: OWN_KEYS,
        connections: ANY,
        long: true,
        over: Over {
            plain: FINISHED,
            ..TLS
        },
        ..PLAIN
    },
    Row {
        name: "static, LTO, stripped, client",
        before: "mkfifo $DIR/held
             timeout 60 $DIR/optimised base64 0<>$DIR/held >/dev/null 2>&1 & echo $! > $DIR/held.pid
             until grep -q openssl-lto /proc/[0-9]*/maps 2>/dev/null; do :; done",
        client: ask_four!(by "$DIR/optimised", ""),
        ..OPTIMISED
    },
    Row {
        name: "static, LTO, stripped, server",
        server: "exec $DIR/optimised s_server -accept $PORT -cert $DIR/cert -key $DIR/key -www -quiet",
        client: ASK_FOUR,
        truth: KEYS,
        ..OPTIMISED
    },
];
