# Lists the recipes.
default:
    @just --list

# What is fast enough to run all the time.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# All tests.
test:
    cargo test --workspace --locked

# Accepts what the tests now print: case files and snapshots. Read the diff afterwards.
bless:
    SEGUE_BLESS=1 INSTA_UPDATE=always cargo test --workspace --locked

# Replays an example over its own events, or over others: just run cart_reminder examples/shop.ndjson.gz
run example events=("examples/" + example + "/events.ndjson"):
    cargo run --release --locked -- run examples/{{example}} --events {{events}} --format table

# Compares machine code and reference interpreter on more random programs, each with several histories: just compare 200000
compare seeds="100000":
    SEGUE_SEEDS={{seeds}} cargo test --release --locked -p segue-tests --test differential -- --nocapture

# Simulates worlds in which what can go wrong does, from a seed on: just simulate 123
simulate first="0" seeds="1":
    SEGUE_FIRST={{first}} SEGUE_SEEDS={{seeds}} cargo test --locked -p segue-tests --test simulation -- --nocapture

# Looks for what breaks readers of bodies, lines, JSON, logs, their entries and checkpoints, each for so many seconds; needs
# cargo-fuzz and a nightly compiler: just fuzz 600 ingest
fuzz seconds="120" targets="ingest line json log payload store":
    cd fuzz && for target in {{targets}}; do mkdir -p corpus/$target; cargo +nightly fuzz run -s none $target corpus/$target seeds/$target -- -max_total_time={{seconds}} -max_len=4096 -timeout=10 -rss_limit_mb=2048 || exit 1; done

# Licences and advisories of the dependencies; needs cargo-deny.
deny:
    cargo deny --locked check

# Builds `segue` as what it does with the bench's pack says: what is often done lies together. It takes a quarter of an hour,
# and needs `rustup component add llvm-tools`: just guided, and then target/guided/segue
guided:
    #!/usr/bin/env bash
    set -euo pipefail
    host=$(rustc -vV | sed -n 's/^host: //p')
    profdata=$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata
    dir=$PWD/target/guided
    rm -rf "$dir" && mkdir -p "$dir"
    cargo run --release --locked --package segue-bench -- stream "$dir/stream.ndjson"
    build() { RUSTFLAGS=$1 cargo build --release --locked --target "$host" --target-dir "$dir/$2"; }
    build "-Cprofile-generate=$dir/profiles" watched
    "$dir/watched/$host/release/segue" run bench/rules/pack.segue --threads 1 --events "$dir/stream.ndjson" > /dev/null
    "$profdata" merge --output "$dir/segue.profdata" "$dir/profiles"
    build "-Cprofile-use=$dir/segue.profdata" built
    cp "$dir/built/$host/release/segue" "$dir/segue"
    rm -rf "$dir/watched" "$dir/built" "$dir/profiles"

# What CI runs.
ci:
    .ci/run
