//! Canonical bytes without their runs of zeros: how the SQLite store keeps them.
//!
//! Numbers and lengths are 64 bits, and mostly small, so that a third of the
//! canonical bytes of an event are zeros. Texts stay as they are, to the byte:
//! the bytes that stand for runs are such as no UTF-8 text has.
//!
//! | packed | stands for |
//! |---|---|
//! | `f8` … `ff` | 2 … 9 zeros, as many as there are |
//! | `c0`, and one of `c0`, `f8` … `ff` | that byte |
//! | any other byte | itself |
//!
//! There is one way to pack, and [`unpack`] refuses any other: that no changed
//! byte of an event goes unseen (law 4) holds of packed bytes too.

/// Two zeros; each byte above stands for one zero more.
const RUN: u8 = 0xf8;

/// The next byte is itself.
const ESCAPE: u8 = 0xc0;

/// The longest run that is one byte.
const RUN_MAX: usize = 9;

/// These bytes, packed.
#[must_use]
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len());
    pack_into(bytes, &mut packed);
    packed
}

/// Put these bytes, packed, behind what is there.
pub fn pack_into(bytes: &[u8], packed: &mut Vec<u8>) {
    packed.reserve(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            0 => {
                let further = rest.iter().take(RUN_MAX - 1).take_while(|byte| **byte == 0);
                let zeros = 1 + further.count();
                rest = &rest[zeros - 1..];
                // At most nine: it fits.
                packed.push(if zeros == 1 {
                    0
                } else {
                    RUN + (zeros - 2) as u8
                });
            }
            ESCAPE | RUN.. => packed.extend([ESCAPE, first]),
            _ => packed.push(first),
        }
    }
}

/// The bytes that are packed like this; none if no bytes are.
#[must_use]
pub fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(packed.len() * 2);
    // Whether the byte before stood for fewer zeros than one byte can: then
    // none may follow.
    let mut short = false;
    let mut rest = packed.iter();
    while let Some(&first) = rest.next() {
        let zeros = match first {
            0 => 1,
            RUN.. => usize::from(first - RUN) + 2,
            _ => 0,
        };
        if zeros > 0 {
            if short {
                return None;
            }
            bytes.resize(bytes.len() + zeros, 0);
        } else if first == ESCAPE {
            bytes.push(
                *rest
                    .next()
                    .filter(|byte| matches!(**byte, ESCAPE | RUN..))?,
            );
        } else {
            bytes.push(first);
        }
        short = (1..RUN_MAX).contains(&zeros);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{canonical, samples};

    #[test]
    fn law4_every_event_comes_back() {
        let (mut plain, mut packed) = (0, 0);
        for event in samples::events() {
            let canonical = canonical::write(&event);
            for bytes in [canonical.plain, canonical.erasable] {
                let packed_bytes = pack(&bytes);
                assert_eq!(unpack(&packed_bytes), Some(bytes.clone()));
                plain += bytes.len();
                packed += packed_bytes.len();
            }
        }
        assert!(packed * 10 < plain * 7, "{plain} bytes became {packed}");
    }

    #[test]
    fn the_bytes_are_as_documented() {
        let zeros = |n| vec![0; n];
        for (bytes, packed) in [
            (zeros(0), vec![]),
            (zeros(1), vec![0]),
            (zeros(2), vec![0xf8]),
            (zeros(9), vec![0xff]),
            (zeros(10), vec![0xff, 0]),
            (zeros(20), vec![0xff, 0xff, 0xf8]),
            ("é{}".into(), "é{}".into()),
            (vec![0xc0, 0xc1, 0xf7], vec![0xc0, 0xc0, 0xc1, 0xf7]),
            (vec![0xf8, 0, 0xff], vec![0xc0, 0xf8, 0, 0xc0, 0xff]),
        ] {
            assert_eq!(pack(&bytes), packed, "{bytes:x?}");
            assert_eq!(unpack(&packed), Some(bytes));
        }
    }

    #[test]
    fn law4_there_is_one_way_to_pack() {
        // Every three bytes are of something, or of nothing.
        for number in 0..1_u32 << 24 {
            let [_, packed @ ..] = number.to_be_bytes();
            if let Some(bytes) = unpack(&packed) {
                assert_eq!(pack(&bytes), packed);
            }
        }
        for refused in [&[0, 0][..], &[0xf8, 0], &[0, 0xff], &[0xc0], &[0xc0, 1]] {
            assert_eq!(unpack(refused), None, "{refused:x?}");
        }
        assert!(unpack(&[0xff, 0xff, 0]).is_some());
    }
}
