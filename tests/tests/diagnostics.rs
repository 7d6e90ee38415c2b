//! Checks every diagnostic page.

fn page(path: &std::path::Path) -> datatest_stable::Result<()> {
    segue_tests::expectation::check(path);
    Ok(())
}

datatest_stable::harness! {
    { test = page, root = "diagnostics", pattern = r".*\.segue$" },
}
