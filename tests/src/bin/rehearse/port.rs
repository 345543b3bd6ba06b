//! The port that `--serve` is asked to serve on: whether it is free, before anything is started.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// Whether a port can be served on. 0 is any free one.
///
/// # Errors
/// It is in use, or not for everybody.
pub fn free(port: u16) -> Result<()> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop);
    bound.with_context(|| {
        format!("port {port} cannot be served on: stop what uses it, or give another --port, or none for any free one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_in_use_is_told_before_anything_is_started() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = taken.local_addr().expect("its address").port();
        let told = format!("{:#}", free(port).expect_err("it is in use"));
        assert!(told.contains(&format!("port {port} cannot be served on")) && told.contains("--port"), "{told}");
        assert!(free(0).is_ok());
    }
}
