//! Trackers as their users install them, sending to `segue serve`.
//!
//! `cli/tests/clients/install target/clients` brings them; with `SEGUE_CLIENTS=target/clients` the tests use them, and
//! fail where one is absent. Without it nothing is sent, and each test says so.

#[cfg(test)]
mod clients;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod service;
