//! Runs every case file on both executors.

fn case(path: &std::path::Path) -> datatest_stable::Result<()> {
    segue_tests::case::run(path);
    Ok(())
}

datatest_stable::harness! {
    { test = case, root = "cases", pattern = r".*\.case$" },
}
