//! Programs in containers of Docker, with the libraries of an image. Played on the host of the
//! containers: `$GATEWAY` is its address there.

use super::{ASK_FOUR, KEYS, PLAIN, Row};

/// An image with openssl and its libraries.
const IMAGE: &str = "
mkdir -p $DIR/root/usr/bin $DIR/root/etc
cp $(command -v openssl) $DIR/root/usr/bin
cp $DIR/cert $DIR/key $DIR/root/etc
for file in $(ldd $(command -v openssl) | grep -o '/[^ ]*'); do
  mkdir -p $DIR/root/${file%/*}; cp $file $DIR/root/$file
done
$DOCKER rm --force e2e-tls >/dev/null 2>&1 || :
$DOCKER create --name e2e-tls-make e2e.local/app:1 >/dev/null
$DOCKER cp $DIR/root/. e2e-tls-make:/
$DOCKER commit e2e-tls-make e2e.local/tls:1 >/dev/null
$DOCKER rm e2e-tls-make >/dev/null
";

const ROW: Row = Row {
    needs: "+docker",
    prepare: IMAGE,
    owner: "e2e-tls",
    connections: 4,
    ..PLAIN
};

pub const ROWS: &[Row] = &[
    Row {
        name: "Docker, client",
        before: "$DOCKER run --detach --name e2e-tls e2e.local/tls:1 sleep 60 >/dev/null",
        client: "$DOCKER exec e2e-tls sh -c '
                 for words in \"-tls1_2 -sess_out\" \"-tls1_2 -sess_in\" \"-tls1_3 -sess_out\" \"-tls1_3 -sess_in\"; do
                   printf \"GET / HTTP/1.0\\r\\n\\r\\n\" |
                     /usr/bin/openssl s_client -connect '$GATEWAY:$PORT' -ign_eof $words /tmp/session >/dev/null 2>&1
                 done' || :
                 $DOCKER rm --force e2e-tls >/dev/null",
        ..ROW
    },
    Row {
        name: "Docker, server",
        // What is the first process of a container ends only at signals that it has asked for.
        server: "exec $DOCKER run --rm --name e2e-tls --publish $PORT:$PORT e2e.local/tls:1 sh -c '
                 /usr/bin/openssl s_server -accept '$PORT' -cert /etc/cert -key /etc/key -www -quiet &
                 trap \"kill $!; exit\" TERM
                 wait'",
        before: "until $DOCKER exec e2e-tls busybox grep -q ':1151 ' /proc/net/tcp /proc/net/tcp6; do :; done",
        client: ASK_FOUR,
        truth: KEYS,
        ..ROW
    },
];
