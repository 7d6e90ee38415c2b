//! The ports of the service, over real connections.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod full;
#[cfg(test)]
mod ports;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod wire;
