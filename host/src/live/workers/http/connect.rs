//! How a connection comes about: the address, a proxy where there is one, TLS.

use std::io;
use std::net::SocketAddr;

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::limits::{HTTP_CONNECT_TIMEOUT, HTTP_PROXY_ANSWER_BYTES_MAX};

use super::addresses::{LeadsInward, NeverInward, Zone};
use super::failure::Failure;
use super::place::Origin;
use super::proxy::Proxy;
use super::tls::Tls;

/// What a connection is made of.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A stream of bytes, with or without TLS.
pub(super) type Stream = Box<dyn Duplex>;

/// A stream to the origin itself, and where it leads.
pub(super) async fn directly(
    origin: &Origin,
    guard: NeverInward,
    tls: &Tls,
) -> Result<(Stream, Zone), Failure> {
    let found: Vec<_> = addresses(origin).await?.collect();
    let mut allowed = found.clone();
    allowed.retain(|address| guard.allows(Zone::of(address.ip())));
    if allowed.is_empty() && !found.is_empty() {
        return Err(LeadsInward.into());
    }
    let (stream, address) = first_that_answers(allowed).await?;
    let stream = encrypted(origin, Box::new(stream), tls).await?;
    Ok((stream, Zone::of(address.ip())))
}

/// A stream to a proxy that passes requests on or, for `https`, one through it to the
/// origin.
pub(super) async fn through(proxy: &Proxy, origin: &Origin, tls: &Tls) -> Result<Stream, Failure> {
    let addresses = addresses(&proxy.origin).await?.collect();
    let (stream, _) = first_that_answers(addresses).await?;
    let mut stream = encrypted(&proxy.origin, Box::new(stream), tls).await?;
    if !origin.is_https {
        return Ok(stream);
    }
    let dug = timeout(
        HTTP_CONNECT_TIMEOUT,
        dig(&mut stream, origin, proxy.credentials.as_ref()),
    );
    dug.await
        .map_err(|_| Failure::Timeout("the proxy did not let the request through in time"))??;
    encrypted(origin, stream, tls).await
}

async fn addresses(origin: &Origin) -> Result<impl Iterator<Item = SocketAddr>, Failure> {
    let found = lookup_host((origin.bare_host(), origin.port));
    found.await.map_err(Failure::NoAddress)
}

/// A connection to the first of the addresses that answers, in the order in which the
/// system recommends them.
async fn first_that_answers(
    addresses: Vec<SocketAddr>,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let nothing = io::Error::new(io::ErrorKind::NotFound, "the name has none");
    let mut failure = Failure::NoAddress(nothing);
    for address in addresses {
        match timeout(HTTP_CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // What is sent is sent at once and whole: to wait for more is of no use.
                stream.set_nodelay(true).map_err(Failure::NoConnection)?;
                return Ok((stream, address));
            }
            Ok(Err(error)) => failure = Failure::NoConnection(error),
            Err(_) => failure = Failure::Timeout("the server did not take the connection in time"),
        }
    }
    Err(failure)
}

async fn encrypted(origin: &Origin, stream: Stream, tls: &Tls) -> Result<Stream, Failure> {
    if !origin.is_https {
        return Ok(stream);
    }
    let name = ServerName::try_from(origin.bare_host().to_owned())
        .map_err(|error| Failure::NoConnection(io::Error::other(error)))?;
    let connector = tls.connector().await?;
    match timeout(HTTP_CONNECT_TIMEOUT, connector.connect(name, stream)).await {
        Ok(stream) => Ok(Box::new(stream.map_err(Failure::NoConnection)?)),
        Err(_) => Err(Failure::Timeout("TLS was not set up in time")),
    }
}

/// Ask a proxy to pass bytes on to the origin (RFC 9110, 9.3.6).
async fn dig(
    stream: &mut Stream,
    origin: &Origin,
    credentials: Option<&HeaderValue>,
) -> Result<(), Failure> {
    let place = format!("{}:{}", origin.host, origin.port);
    let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n").into_bytes();
    if let Some(credentials) = credentials {
        request.extend(b"Proxy-Authorization: ");
        request.extend(credentials.as_bytes());
        request.extend(b"\r\n");
    }
    request.extend(b"\r\n");
    stream
        .write_all(&request)
        .await
        .map_err(Failure::NoConnection)?;
    let answer = head(stream).await?;
    let first = answer.lines().next().unwrap_or_default();
    let status = first.split(' ').nth(1).unwrap_or_default();
    if first.starts_with("HTTP/1.") && status.len() == 3 && status.starts_with('2') {
        Ok(())
    } else {
        Err(Failure::NoTunnel(first.to_owned()))
    }
}

/// An answer up to the empty line. One byte after the other: what comes after it is
/// the origin's.
async fn head(stream: &mut Stream) -> Result<String, Failure> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HTTP_PROXY_ANSWER_BYTES_MAX {
            return Err(Failure::NoTunnel("its answer has no end".to_owned()));
        }
        let byte = stream.read_u8().await.map_err(Failure::NoConnection)?;
        head.push(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
