use super::*;
use crate::log::samples;
use crate::model::{CancelRequested, Digest, EventKind, GuestChanged, Origin};

#[test]
fn law4_every_kind_comes_back() {
    for event in samples::events() {
        let Canonical { plain, erasable } = write(&event);
        assert_eq!(length(&event), plain.len() + erasable.len(), "{event:?}");
        assert_eq!(read(&plain, &erasable), Ok(event));
    }
}

/// Each sample differs from its erased form in nothing but what can be erased.
#[test]
fn law4_every_kind_is_read_without_what_was_erased() {
    for event in samples::events() {
        let Canonical { plain, erasable } = write(&event);
        let erased = read_erased(&plain).expect("the plain bytes are enough");
        let again = write(&erased);
        assert_eq!(again.plain, plain, "{event:?}");
        let place = |event: &Event| (event.sequence, event.at, event.origin);
        assert_eq!(place(&erased), place(&event));
        assert_eq!(erasable.is_empty(), again.erasable.is_empty(), "{event:?}");
    }
}

#[test]
fn law4_the_bytes_are_as_documented() {
    let event = |kind| Event {
        sequence: 2,
        at: 258,
        origin: Origin::Fact,
        kind,
    };
    let cancelled = event(EventKind::CancelRequested(CancelRequested::new(Some(
        "é".into(),
    ))));
    let place = b"\x02\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0\x04\0\0\0\0\0\0\0fact";
    let plain = [&place[..], b"\x10\0\0\0\0\0\0\0cancel_requested"].concat();
    let erasable = b"\x01\x02\0\0\0\0\0\0\0\xc3\xa9\0".to_vec();
    assert_eq!(write(&cancelled), Canonical { plain, erasable });
    let digest = Digest([7; 32]);
    let changed = event(EventKind::GuestChanged(GuestChanged::new(digest)));
    let plain = [&place[..], b"\x0d\0\0\0\0\0\0\0guest_changed", &[7; 32]].concat();
    let erasable = b"\0".to_vec();
    assert_eq!(write(&changed), Canonical { plain, erasable });
}

#[test]
fn law4_any_other_bytes_are_refused_or_another_event() {
    for event in samples::events() {
        let Canonical { plain, erasable } = write(&event);
        let one_more = |bytes: &[u8]| [bytes, &[0]].concat();
        assert!(read(&one_more(&plain), &erasable).is_err(), "{event:?}");
        assert!(read(&plain, &one_more(&erasable)).is_err(), "{event:?}");
        let is_another = |plain: &[u8], erasable: &[u8]| {
            // It ends before a field that need not be there.
            let other = read(plain, erasable).map(|other| write(&other));
            other.is_ok_and(|other| other.plain == plain && other.erasable == erasable)
        };
        let cuts = (0..plain.len()).map(|cut| (cut, erasable.len()));
        let cuts = cuts.chain((0..erasable.len()).map(|cut| (plain.len(), cut)));
        let mut others = 0;
        for (plain_cut, erasable_cut) in cuts {
            let (plain, erasable) = (&plain[..plain_cut], &erasable[..erasable_cut]);
            if read(plain, erasable).is_ok() {
                assert!(is_another(plain, erasable), "{event:?} at {plain_cut}");
                others += 1;
            }
        }
        assert!(others <= 1, "{event:?}");
        for at in 0..plain.len() + erasable.len() {
            for flip in [1, 0x80, 0xff] {
                let mut edited = write(&event);
                match at.checked_sub(plain.len()) {
                    None => edited.plain[at] ^= flip,
                    Some(at) => edited.erasable[at] ^= flip,
                }
                if let Ok(other) = read(&edited.plain, &edited.erasable) {
                    assert_ne!(other, event, "two spellings, at byte {at}");
                    assert_eq!(write(&other), edited);
                }
            }
        }
    }
}

#[test]
fn any_byte_soup_is_refused_or_another_event() {
    // Numbers from one multiplication each (MMIX): the same every time.
    let mut seed: u64 = 1;
    let mut next = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    let Canonical { plain, erasable } = write(&samples::events()[1]);
    for round in 0..20_000 {
        let whole = if round % 2 == 0 { &plain } else { &erasable };
        // A sound beginning leads deeper into the reader.
        let sound = usize::from(next()) % whole.len();
        let soup: Vec<u8> = whole[..sound]
            .iter()
            .copied()
            .chain((0..next()).map(|_| next()))
            .collect();
        let mut edited = Canonical {
            plain: plain.clone(),
            erasable: erasable.clone(),
        };
        match round % 2 {
            0 => edited.plain = soup,
            _ => edited.erasable = soup,
        }
        // Numbers and digests at the end may be any bytes.
        if let Ok(other) = read(&edited.plain, &edited.erasable) {
            assert_eq!(write(&other), edited, "two spellings");
            assert!(sound + 80 > whole.len(), "{other:?}");
        }
    }
}

#[test]
fn errors_name_the_place() {
    let Canonical { plain, erasable } = write(&samples::events()[0]);
    let mut bytes = plain.clone();
    bytes[24] = b'p';
    let error = read(&bytes, &erasable).unwrap_err().to_string();
    assert_eq!(
        error,
        "byte 16, field `origin`: \"pact\" is none of fact, decision"
    );
    bytes[20] = 1;
    let error = read(&bytes, &erasable).unwrap_err().to_string();
    assert!(
        error.starts_with("byte 24, field `origin`: 4294967300 bytes should follow, and "),
        "{error}"
    );
    let error = read(&plain, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "byte 0 of what can be erased, field `initial_input`: 8 bytes should follow, and 0 do"
    );
}

#[test]
fn a_kind_of_a_newer_program_is_told_as_that() {
    let Canonical { plain, erasable } = write(&samples::events()[9]);
    let known = b"node_timed_out";
    let place = plain.windows(known.len()).position(|it| it == known);
    let place = place.unwrap();
    let with = |kind: &str| {
        let mut bytes = plain.clone();
        bytes[place..place + known.len()].copy_from_slice(kind.as_bytes());
        read(&bytes, &erasable).unwrap_err()
    };
    let kind = "node_melted_in".to_owned();
    assert_eq!(with(&kind), CanonicalError::Newer { kind });
    assert!(matches!(
        with("node_Melted in"),
        CanonicalError::Malformed { .. }
    ));
}
