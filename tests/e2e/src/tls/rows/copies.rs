//! Programs of one build, or that say so: what was met of one tells where to look in the next.

use super::{PLAIN, Row};

/// Two programs with a build id: that of the client, and what is done before with it.
macro_rules! two {
    ($between:literal) => {
        concat!(
            "cat > $DIR/two.c <<'END'\n",
            include_str!("../../../programs/tls_client.c"),
            "END
             BUILD=-Wl,--build-id=0x70616972
             gcc -O2 -s -static $BUILD -o $DIR/later $DIR/two.c -lssl -lcrypto 2>/dev/null\n",
            $between,
            "\nmkfifo $DIR/held
             $DIR/sooner $PORT 0<>$DIR/held >/dev/null 2>&1 & echo $! > $DIR/held.pid
             until grep -q sooner /proc/$(cat $DIR/held.pid)/comm; do :; done"
        )
    };
}

/// The first waits from before the capture on, the other is started meanwhile.
const ROW: Row = Row {
    needs: "gcc",
    client: "$DIR/later $PORT </dev/null",
    owner: "later",
    race: true,
    ..PLAIN
};

pub const ROWS: &[Row] = &[
    Row {
        name: "static, copy of one that runs",
        before: two!("cp $DIR/later $DIR/sooner"),
        ..ROW
    },
    Row {
        // As long, and of the same name, but all its code is elsewhere.
        name: "static, another's build id",
        before: two!(
            "echo 'asm(\".text; .zero 65536\");' > $DIR/moved.c
             gcc -O2 -s -static $BUILD -o $DIR/sooner $DIR/moved.c $DIR/two.c -lssl -lcrypto 2>/dev/null
             truncate -s $(stat -c %s $DIR/sooner) $DIR/later"
        ),
        ..ROW
    },
    Row {
        // Nothing to hook in the first.
        name: "static, build id of another",
        before: two!(
            "sed 's/CLIENT_RANDOM/CLIENT_RUNDOM/g; s/EXPORTER_SECRET/EXPORTER_SICRET/g' $DIR/later > $DIR/sooner
             chmod +x $DIR/sooner; ! cmp -s $DIR/later $DIR/sooner"
        ),
        ..ROW
    },
];
