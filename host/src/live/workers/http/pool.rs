//! Connections that wait for their next request.
//!
//! None waits longer than [`HTTP_IDLE`], which is shorter than what servers wait: so a
//! request hardly ever meets a connection that is just being closed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::{Instant, sleep};

use crate::limits::{HTTP_IDLE, HTTP_IDLE_CONNECTIONS_MAX};

use super::addresses::NeverInward;
use super::connection::Connection;
use super::place::Origin;

/// Connections that wait, by their origins.
#[derive(Default)]
pub(super) struct Pool(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// The last is the one that waits the shortest. No list is empty.
    by_origin: HashMap<Origin, Vec<(Connection, Instant)>>,
    count: usize,
    /// A task closes those that have waited too long.
    is_watched: bool,
}

impl Pool {
    /// A connection to this origin that leads no further in than is allowed.
    pub(super) fn take(&self, origin: &Origin, guard: NeverInward) -> Option<Connection> {
        let mut waiting = self.waiting();
        let connections = waiting.by_origin.get_mut(origin)?;
        let before = connections.len();
        let mut taken = None;
        while let Some((mut connection, since)) = connections.pop() {
            let is_fresh = since.elapsed() < HTTP_IDLE;
            if is_fresh && guard.allows(connection.zone) && connection.is_free() {
                taken = Some(connection);
                break;
            }
        }
        let gone = before - connections.len();
        if connections.is_empty() {
            waiting.by_origin.remove(origin);
        }
        waiting.count -= gone;
        taken
    }

    /// A connection waits, if there is room, and if it can be used again.
    pub(super) fn give_back(self: &Arc<Self>, origin: &Origin, mut connection: Connection) {
        if !connection.is_free() {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.count >= HTTP_IDLE_CONNECTIONS_MAX {
            return;
        }
        waiting.count += 1;
        let entry = (connection, Instant::now());
        match waiting.by_origin.get_mut(origin) {
            Some(connections) => connections.push(entry),
            None => {
                waiting.by_origin.insert(origin.clone(), vec![entry]);
            }
        }
        if !waiting.is_watched {
            waiting.is_watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    /// Close what has waited too long. Whether anything is left.
    fn close_old(&self) -> bool {
        let mut waiting = self.waiting();
        let mut count = 0;
        waiting.by_origin.retain(|_, connections| {
            connections.retain(|(_, since)| since.elapsed() < HTTP_IDLE);
            count += connections.len();
            !connections.is_empty()
        });
        waiting.count = count;
        waiting.is_watched = count > 0;
        waiting.is_watched
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(pool: Weak<Pool>) {
    loop {
        sleep(HTTP_IDLE).await;
        let is_left = pool.upgrade().is_some_and(|pool| pool.close_old());
        if !is_left {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::live::workers::http::addresses::Zone;

    fn origin() -> Origin {
        Origin {
            is_https: false,
            host: "h".to_owned(),
            port: 80,
        }
    }

    async fn connection(zone: Zone) -> (Connection, tokio::io::DuplexStream) {
        let (ours, server) = duplex(1024);
        let connection = Connection::over(Box::new(ours), zone).await;
        (connection.expect("a connection"), server)
    }

    #[tokio::test]
    async fn a_connection_is_judged_by_where_it_leads() {
        for (outermost, zone, is_taken) in [
            (None, Zone::Local, true),
            (Some(Zone::Local), Zone::Local, true),
            (Some(Zone::Public), Zone::Public, true),
            (Some(Zone::Public), Zone::Private, false),
            (Some(Zone::Private), Zone::Local, false),
        ] {
            let pool = Arc::new(Pool::default());
            let (connection, _server) = connection(zone).await;
            pool.give_back(&origin(), connection);
            let mut guard = NeverInward::default();
            if let Some(outermost) = outermost {
                guard.enter(outermost).expect("the first may lead anywhere");
            }
            let taken = pool.take(&origin(), guard);
            assert_eq!(taken.is_some(), is_taken, "{outermost:?} {zone:?}");
            assert_eq!(pool.waiting().count, 0);
        }
    }

    #[tokio::test]
    async fn a_connection_that_its_server_closes_or_talks_over_is_not_taken() {
        for says in [&b""[..], b"HTTP/1.1 408 Request Timeout\r\n\r\n"] {
            let pool = Arc::new(Pool::default());
            let (connection, mut server) = connection(Zone::Local).await;
            pool.give_back(&origin(), connection);
            server.write_all(says).await.expect("it is written");
            drop(server);
            assert!(pool.take(&origin(), NeverInward::default()).is_none());
        }
    }

    #[tokio::test]
    async fn a_connection_waits_for_its_time_and_is_closed() {
        let pool = Arc::new(Pool::default());
        let (connection, mut server) = connection(Zone::Local).await;
        pool.give_back(&origin(), connection);
        let begun = Instant::now();
        let closed = server.read(&mut [0]).await.expect("it is read");
        assert_eq!(closed, 0);
        assert!(begun.elapsed() >= HTTP_IDLE);
        assert!(!pool.waiting().is_watched);
    }

    #[tokio::test]
    async fn no_more_connections_wait_than_there_is_room_for() {
        let pool = Arc::new(Pool::default());
        pool.waiting().count = HTTP_IDLE_CONNECTIONS_MAX;
        let (connection, mut server) = connection(Zone::Local).await;
        pool.give_back(&origin(), connection);
        assert_eq!(server.read(&mut [0]).await.expect("it is read"), 0);
    }
}
