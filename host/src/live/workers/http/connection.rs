//! One connection, over which one request goes after another.
//!
//! No task of its own drives it: whoever waits for an answer does. So a request that
//! is dropped takes its connection along, and an answer passes through no other thread.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::limits::HTTP_HEAD_BYTES_MAX;

use super::addresses::Zone;
use super::connect::Stream;
use super::failure::Failure;

/// A connection over which requests can be sent.
pub(super) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Driver,
    /// Where it leads; by way of a proxy, as far as the host's name says it.
    pub(super) zone: Zone,
}

/// What reads and writes the connection whenever it is polled.
struct Driver {
    connection: http1::Connection<TokioIo<Stream>, Full<Bytes>>,
    has_ended: bool,
}

impl Connection {
    pub(super) async fn over(stream: Stream, zone: Zone) -> Result<Self, Failure> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HTTP_HEAD_BYTES_MAX);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            sender,
            driver: Driver {
                connection,
                has_ended: false,
            },
            zone,
        })
    }

    /// Send a request, and wait for the head of its answer.
    pub(super) async fn ask(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        let response = self.sender.send_request(request);
        Ok(self.driver.until(response).await?)
    }

    /// More of an answer's body; `None` at its end.
    pub(super) async fn more(&mut self, body: &mut Incoming) -> Option<Result<Bytes, Failure>> {
        loop {
            let frame = self.driver.until(body.frame()).await?;
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(bytes)) => return Some(Ok(bytes)),
                // Trailers say nothing here.
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error.into())),
            }
        }
    }

    /// Whether another request can be sent: the last answer came to its end, and the
    /// other end has not closed the connection.
    pub(super) fn is_free(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.driver.go_on(&mut context);
        !self.driver.has_ended && self.sender.is_ready()
    }
}

impl Driver {
    /// Goes on until this has come.
    async fn until<F: Future>(&mut self, awaited: F) -> F::Output {
        let mut awaited = pin!(awaited);
        poll_fn(|context| {
            if let Poll::Ready(output) = awaited.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            self.go_on(context);
            awaited.as_mut().poll(context)
        })
        .await
    }

    fn go_on(&mut self, context: &mut Context<'_>) {
        if !self.has_ended {
            // How it ended, the one who waits for an answer is told.
            self.has_ended = Pin::new(&mut self.connection).poll(context).is_ready();
        }
    }
}
