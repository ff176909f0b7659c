//! Makes requests, over connections that are kept.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};
use hyper::body::Incoming;

use super::addresses::NeverInward;
use super::call::{Call, Via};
use super::connect;
use super::connection::Connection;
use super::failure::Failure;
use super::place::{Origin, Place};
use super::pool::Pool;
use super::proxy::{Proxies, Proxy};
use super::tls::Tls;

/// Makes requests. One of them serves all attempts of an engine.
pub(super) struct Client {
    proxies: Proxies,
    tls: Tls,
    pool: Arc<Pool>,
}

/// The head of an answer, and what its body is read from.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// The body of an answer, and the connection that it comes over.
pub(super) struct Body {
    incoming: Incoming,
    connection: Connection,
    origin: Origin,
    pool: Arc<Pool>,
}

impl Client {
    /// With the proxies that the environment names.
    pub(super) fn new() -> Self {
        Self {
            proxies: Proxies::of_environment(),
            tls: Tls::default(),
            pool: Arc::default(),
        }
    }

    /// Make one request, and wait for the head of its answer.
    pub(super) async fn ask(
        &self,
        call: &Call,
        place: Place,
        guard: &mut NeverInward,
    ) -> Result<Answered, Failure> {
        let proxy = self.proxies.of_origin(&place.origin)?;
        if proxy.is_some() && !guard.allows(place.origin.zone_as_written()) {
            return Err(super::addresses::LeadsInward.into());
        }
        if let Some(mut connection) = self.pool.take(&place.origin, *guard) {
            match over(&mut connection, call, &place, proxy).await {
                Ok(response) => return self.answered(response, connection, place.origin, guard),
                Err(failure) if may_be_sent_again(call, &failure) => {}
                Err(failure) => return Err(failure),
            }
        }
        let mut connection = self.connect(&place.origin, proxy, *guard).await?;
        let response = over(&mut connection, call, &place, proxy).await?;
        self.answered(response, connection, place.origin, guard)
    }

    async fn connect(
        &self,
        origin: &Origin,
        proxy: Option<&Proxy>,
        guard: NeverInward,
    ) -> Result<Connection, Failure> {
        let (stream, zone) = match proxy {
            None => connect::directly(origin, guard, &self.tls).await?,
            // A proxy resolves names itself: only what is written can be judged.
            Some(proxy) => {
                let stream = connect::through(proxy, origin, &self.tls).await?;
                (stream, origin.zone_as_written())
            }
        };
        Connection::over(stream, zone).await
    }

    fn answered(
        &self,
        response: Response<Incoming>,
        connection: Connection,
        origin: Origin,
        guard: &mut NeverInward,
    ) -> Result<Answered, Failure> {
        guard.enter(connection.zone)?;
        let (head, incoming) = response.into_parts();
        Ok(Answered {
            status: head.status,
            headers: head.headers,
            body: Body {
                incoming,
                connection,
                origin,
                pool: Arc::clone(&self.pool),
            },
        })
    }
}

async fn over(
    connection: &mut Connection,
    call: &Call,
    place: &Place,
    proxy: Option<&Proxy>,
) -> Result<Response<Incoming>, Failure> {
    let via = match proxy {
        Some(proxy) if !place.origin.is_https => Via::Proxy(proxy.credentials.as_ref()),
        _ => Via::Server,
    };
    connection.ask(call.request(place, via)?).await
}

/// Whether a request that failed over a connection that had waited is made once more,
/// over a new one: the server may have closed the old one meanwhile. What might have
/// been carried out is asked again only where that changes nothing (RFC 9110, 9.2.2).
fn may_be_sent_again(call: &Call, failure: &Failure) -> bool {
    failure.was_not_sent() || (failure.was_reset() && call.method.is_idempotent())
}

impl Body {
    /// Read on, until there are this many bytes, or more. Whether that is all of it.
    pub(super) async fn read(
        &mut self,
        bytes: &mut Vec<u8>,
        bytes_enough: usize,
    ) -> Result<bool, Failure> {
        while bytes.len() < bytes_enough {
            match self.connection.more(&mut self.incoming).await {
                None => return Ok(true),
                Some(chunk) => bytes.extend_from_slice(&chunk?),
            }
        }
        Ok(false)
    }

    /// All of it was read: others may use the connection.
    pub(super) fn give_back(self) {
        self.pool.give_back(&self.origin, self.connection);
    }
}
