//! The server that the steps of the measure `http` ask: it answers `{}` to every
//! request, from a thread of its own.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// How its thread is named; a name is cut at 15 bytes.
pub(super) const THREAD: &str = "bench-steps";

/// What it answers, whatever it is asked.
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

/// The head of a request is looked for in so many bytes.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

/// A server, which ends when this is dropped.
pub(super) struct StepServer {
    address: SocketAddr,
    _end: oneshot::Sender<()>,
}

impl StepServer {
    /// A server at any port of this machine.
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port is free")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .context("cannot start the async runtime of the step server")?;
        let (end, ended) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = serve(listener) => {}
                        _ = ended => {}
                    }
                });
            })
            .context("no thread can be started")?;
        Ok(Self { address, _end: end })
    }

    /// Where it is asked.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

async fn serve(listener: std::net::TcpListener) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(answer_all(stream));
    }
}

/// Answer one request after another, until there are no more.
async fn answer_all(mut stream: TcpStream) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(REQUEST_BYTES_MAX);
    while bytes.len() < REQUEST_BYTES_MAX && stream.read_buf(&mut bytes).await? > 0 {
        while let Some(end) = end_of_request(&bytes) {
            bytes.drain(..end);
            stream.write_all(ANSWER).await?;
        }
    }
    Ok(())
}

/// Where the first request ends, if all of it is there.
fn end_of_request(bytes: &[u8]) -> Option<usize> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes).ok()? else {
        return None;
    };
    let named = |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case("content-length");
    let length = request.headers.iter().find(named);
    let length = length.and_then(|it| std::str::from_utf8(it.value).ok()?.parse().ok());
    let end = head.checked_add(length.unwrap_or(0))?;
    (end <= bytes.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::end_of_request;

    #[test]
    fn a_request_ends_with_its_body() {
        let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        let get = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        for (bytes, end) in [
            (&post[..], Some(post.len())),
            (&post[..post.len() - 1], None),
            (get, Some(get.len())),
            (&[&get[..], post].concat(), Some(get.len())),
            (b"GET / HT", None),
        ] {
            assert_eq!(end_of_request(bytes), end);
        }
    }
}
