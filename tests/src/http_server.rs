//! A server for requests of tests: it answers as it is told, byte by byte, and
//! keeps what it was asked.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// What the server was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path, and the query.
    pub path: String,
    /// The headers; names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// Which request for this path it is, from 1.
    pub count: usize,
    /// Over which connection it came, from 1.
    pub connection: usize,
}

/// A server, for as long as the test runs.
pub struct HttpServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl HttpServer {
    /// A server on this host's address, at any port, that answers with what
    /// `answer` gives.
    ///
    /// # Panics
    /// Where it cannot listen.
    #[must_use]
    pub fn start(host: &str, answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::serve(host, move |stream, connection, kept| {
            // A client that goes away is no matter of the server's.
            let _ = exchange(stream, connection, kept, &answer);
        })
    }

    /// As [`HttpServer::start`], but connections are kept until an answer is empty.
    ///
    /// # Panics
    /// Where it cannot listen.
    #[must_use]
    pub fn keeping(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        Self::serve("127.0.0.1", move |stream, connection, kept| {
            let (answer, kept) = (Arc::clone(&answer), Arc::clone(kept));
            std::thread::spawn(move || {
                while let Ok(stream) = stream.try_clone()
                    && exchange(&stream, connection, &kept, &*answer).is_ok_and(|it| it)
                {
                }
                // Whoever else holds it: it is closed.
                let _ = stream.shutdown(std::net::Shutdown::Both);
            });
        })
    }

    fn serve(
        host: &str,
        each: impl Fn(TcpStream, usize, &Arc<Mutex<Vec<Asked>>>) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((host, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for (stream, connection) in listener.incoming().zip(1..) {
                if let Ok(stream) = stream {
                    each(stream, connection, &kept);
                }
            }
        });
        Self { address, asked }
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

/// An answer with this body, after which the connection is kept.
#[must_use]
pub fn kept(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{lines}\r\n{body}").into_bytes()
}

/// An answer with these headers (a line each) and this body, and its length.
#[must_use]
pub fn answer(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = format!("content-length: {}", body.len());
    let lines = headers
        .iter()
        .copied()
        .chain([length.as_str(), "connection: close"]);
    let lines: String = lines.map(|line| format!("{line}\r\n")).collect();
    [format!("HTTP/1.1 {status}\r\n{lines}\r\n").as_bytes(), body].concat()
}

/// One request and its answer. Whether there was any.
fn exchange(
    stream: impl Borrow<TcpStream>,
    connection: usize,
    kept: &Mutex<Vec<Asked>>,
    answer: &impl Fn(&Asked) -> Vec<u8>,
) -> io::Result<bool> {
    let mut stream = stream.borrow();
    let mut asked = read(stream)?;
    asked.connection = connection;
    {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same = kept.iter().filter(|before| before.path == asked.path);
        asked.count = same.count() + 1;
        kept.push(asked.clone());
    }
    let answer = answer(&asked);
    stream.write_all(&answer)?;
    Ok(!answer.is_empty())
}

fn read(stream: &TcpStream) -> io::Result<Asked> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut asked = Asked::default();
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    asked.method = words.next().unwrap_or_default();
    asked.path = words.next().unwrap_or_default();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        let name = name.to_ascii_lowercase();
        asked.headers.insert(name, value.trim().to_owned());
    }
    let length = asked.headers.get("content-length");
    let mut body = vec![0; length.and_then(|it| it.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body)?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Ok(asked)
}
