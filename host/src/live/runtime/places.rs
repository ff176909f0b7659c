//! How many questions to guests are answered at once, and how many wait.
//!
//! A guest may take all the fuel that a call has for each question. So those of one guest
//! have fewer places than there are: where they take long, others are answered meanwhile.
//! And a bounded number of them waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Overload;
use crate::limits::{
    QUESTIONS_AT_ONCE_MAX, QUESTIONS_OF_A_GUEST_AT_ONCE_MAX, QUESTIONS_OF_A_GUEST_MAX,
};

/// The places for questions to guests. Clones are the same.
#[derive(Clone)]
pub(in crate::live) struct Places {
    all: Arc<Semaphore>,
    /// The guests that are asked now, by their digests.
    guests: Arc<Mutex<HashMap<Arc<str>, OfGuest>>>,
}

/// The questions to one guest.
struct OfGuest {
    places: Arc<Semaphore>,
    /// Those that are answered, and those that wait.
    asked: usize,
}

/// A question that counts among those of its guest, until this is dropped.
struct Counted {
    places: Places,
    guest: Arc<str>,
}

/// A place, for as long as the question is answered.
pub(in crate::live) struct Place {
    _of_all: Option<OwnedSemaphorePermit>,
    _of_guest: Option<OwnedSemaphorePermit>,
    _counted: Counted,
}

impl Places {
    pub(in crate::live) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(QUESTIONS_AT_ONCE_MAX)),
            guests: Arc::default(),
        }
    }

    /// Waits for a place for a question to the guest of this digest.
    ///
    /// # Errors
    /// [`Overload::Questions`]: as many questions to it wait as may.
    pub(in crate::live) async fn take(&self, guest: &str) -> Result<Place, Overload> {
        let (places, counted) = self.count(guest)?;
        // Nobody closes these, so a place always comes.
        let of_guest = places.acquire_owned().await.ok();
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok();
        Ok(Place {
            _of_all: of_all,
            _of_guest: of_guest,
            _counted: counted,
        })
    }

    fn count(&self, guest: &str) -> Result<(Arc<Semaphore>, Counted), Overload> {
        let mut guests = self.guests();
        let guest: Arc<str> = guest.into();
        let of_guest = guests.entry(Arc::clone(&guest)).or_insert_with(|| OfGuest {
            places: Arc::new(Semaphore::new(QUESTIONS_OF_A_GUEST_AT_ONCE_MAX)),
            asked: 0,
        });
        let waiting = of_guest.asked;
        if waiting >= QUESTIONS_OF_A_GUEST_MAX {
            return Err(Overload::Questions { waiting });
        }
        of_guest.asked += 1;
        let counted = Counted {
            places: self.clone(),
            guest,
        };
        Ok((Arc::clone(&of_guest.places), counted))
    }

    /// A panic leaves the counts whole: nothing that panics is called while they change.
    fn guests(&self) -> MutexGuard<'_, HashMap<Arc<str>, OfGuest>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut guests = self.places.guests();
        if let Some(of_guest) = guests.get_mut(&self.guest) {
            of_guest.asked -= 1;
            if of_guest.asked == 0 {
                guests.remove(&self.guest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn now<T>(take: impl Future<Output = T>) -> Option<T> {
        match pin!(take).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(taken) => Some(taken),
            Poll::Pending => None,
        }
    }

    fn taken(places: &Places, guest: &str) -> Option<Place> {
        now(places.take(guest)).map(|taken| taken.expect("few wait"))
    }

    #[test]
    fn a_guest_leaves_places_to_others_and_all_have_a_bound() {
        let places = Places::new();
        let of_one: Vec<_> = (0..QUESTIONS_OF_A_GUEST_AT_ONCE_MAX)
            .map(|_| taken(&places, "one").expect("there is room"))
            .collect();
        assert!(taken(&places, "one").is_none());
        let left = QUESTIONS_AT_ONCE_MAX - of_one.len();
        let others: Vec<_> = (0..left)
            .map(|n| taken(&places, &format!("other {n}")).expect("there is room"))
            .collect();
        assert!(taken(&places, "another").is_none());
        drop(others);
        assert!(taken(&places, "another").is_some());
        drop(of_one);
        assert!(taken(&places, "one").is_some());
        assert!(places.guests().is_empty(), "nothing is kept of them");
    }

    #[test]
    fn so_many_questions_to_a_guest_wait_and_no_more() {
        let places = Places::new();
        let mut waiting: Vec<_> = (0..QUESTIONS_OF_A_GUEST_MAX)
            .map(|_| Box::pin(places.take("one")))
            .collect();
        let mut context = Context::from_waker(Waker::noop());
        let mut taken = Vec::new();
        for take in &mut waiting {
            if let Poll::Ready(place) = take.as_mut().poll(&mut context) {
                taken.push(place.expect("there is room"));
            }
        }
        assert_eq!(taken.len(), QUESTIONS_OF_A_GUEST_AT_ONCE_MAX);
        let refused = now(places.take("one")).expect("it is told at once").err();
        let waiting_max = QUESTIONS_OF_A_GUEST_MAX;
        assert_eq!(
            refused,
            Some(Overload::Questions {
                waiting: waiting_max
            })
        );
        assert!(now(places.take("another")).is_some());
        // Those that give up count no longer, and neither do those that are answered.
        drop((waiting, taken));
        assert!(places.guests().is_empty());
    }
}
