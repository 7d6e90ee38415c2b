//! A bad line between tracker and service: it refuses, and loses answers.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// What is done to a request with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered with 503 and goes no further.
    Refuse,
    /// It arrives and is answered, and the answer is lost.
    Lose,
}

/// Passes requests on. The faults are done to the first ones with a body, in order; all after those pass.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    faults: Arc<Mutex<Vec<Fault>>>,
}

impl Relay {
    pub(crate) fn start(service: SocketAddr, faults: &[Fault]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let faults = Arc::new(Mutex::new(faults.iter().rev().copied().collect::<Vec<_>>()));
        let left = faults.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let left = left.clone();
                // Whoever hangs up has said enough.
                thread::spawn(move || pass(stream, service, &left));
            }
        });
        Self { address, faults }
    }

    /// How many faults were not needed.
    pub(crate) fn left(&self) -> usize {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn pass(stream: TcpStream, service: SocketAddr, faults: &Mutex<Vec<Fault>>) -> io::Result<()> {
    let mut client = BufReader::new(stream.try_clone()?);
    let mut to_client = stream;
    let mut to_service = TcpStream::connect(service)?;
    let mut from_service = BufReader::new(to_service.try_clone()?);
    loop {
        let Some(request) = message(&mut client)? else { return Ok(()) };
        let fault = if request.starts_with(b"POST") {
            faults.lock().unwrap_or_else(PoisonError::into_inner).pop()
        } else {
            None
        };
        if fault == Some(Fault::Refuse) {
            // Pages may read it, too.
            to_client.write_all(
                b"HTTP/1.1 503 Service Unavailable\r\naccess-control-allow-origin: *\r\ncontent-length: 0\r\n\r\n",
            )?;
            continue;
        }
        to_service.write_all(&request)?;
        let Some(answer) = message(&mut from_service)? else { return Ok(()) };
        if fault == Some(Fault::Lose) {
            return Ok(());
        }
        to_client.write_all(&answer)?;
    }
}

/// A request or an answer, head and body; none at the end.
fn message(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let start = bytes.len();
        if from.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        assert!(!line.starts_with("transfer-encoding:"), "bodies of unknown length are not relayed");
        if line.trim().is_empty() {
            break;
        }
    }
    let start = bytes.len();
    bytes.resize(start + length, 0);
    from.read_exact(&mut bytes[start..])?;
    Ok(Some(bytes))
}
