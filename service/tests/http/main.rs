//! The ports of the service, over real connections.

#[cfg(test)]
mod ports;
#[cfg(test)]
mod wire;
