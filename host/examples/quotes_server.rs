//! A server for the workflow `secret.json`: it gives quotes to those who know a token, and
//! takes bookings from them.
//!
//! ```sh
//! cargo run --example quotes_server
//! ```
//!
//! and in another terminal
//!
//! ```sh
//! REFRAIN_SECRET_QUOTES_TOKEN=open-sesame refrain run host/examples/secret.json --input '{"claim": 17}'
//! ```

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Where it listens, unless the first argument says another address.
const ADDRESS: &str = "127.0.0.1:8765";

/// What lets somebody in. A server that is more than an example would not have it here.
const TOKEN: &str = "open-sesame";

fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or(ADDRESS))?;
    println!(
        "quotes at http://{}, for those who know {TOKEN}",
        listener.local_addr()?
    );
    for connection in listener.incoming() {
        // One caller that has left is no reason to leave the others.
        if let Err(error) = connection.and_then(|connection| serve(&connection)) {
            eprintln!("a request was not answered: {error}");
        }
    }
    Ok(())
}

/// Answers one request, and closes the connection.
fn serve(mut connection: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (mut is_known, mut body_bytes) = (false, 0);
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => is_known = value.trim() == format!("Bearer {TOKEN}"),
            "content-length" => body_bytes = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    io::copy(&mut reader.take(body_bytes), &mut io::sink())?;
    let (status, body) = match line.split_whitespace().collect::<Vec<_>>()[..] {
        _ if !is_known => (
            "401 Unauthorized",
            r#"{"error": "who are you?"}"#.to_owned(),
        ),
        ["GET", path, _] if path.starts_with("/quotes/") => ("200 OK", quote(path)),
        ["POST", "/bookings", _] => ("201 Created", r#"{"booked": true}"#.to_owned()),
        _ => (
            "404 Not Found",
            r#"{"error": "there is nothing here"}"#.to_owned(),
        ),
    };
    println!("{} {status}", line.trim());
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The quote for a claim: the greater its number, the dearer.
fn quote(path: &str) -> String {
    let claim: u32 = path.trim_start_matches("/quotes/").parse().unwrap_or(0);
    let price = claim.saturating_mul(7);
    format!(r#"{{"quote": "q-{claim}", "price": {price}}}"#)
}
