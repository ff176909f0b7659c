//! From the host's model to the types of one version of the contract, and
//! back.
//!
//! An adapter lists its records, each field once, and the macros here write
//! the conversions. Those to and from a guest take their value whole, so that texts
//! are moved and not copied. A fact that a call offers stays its caller's, so that
//! it is lent ([`Lend`]): no text of it is copied but into the guest.
//!
//! A value of the model that says more than a guest of the version can know is
//! [`Newer`]: it is never handed over with the rest left out.

use bumpalo::Bump;

use super::malformed::Malformed;
use crate::guest::Newer;
use crate::model::{Digest, Label, NoDigest, Remedy, SeenValue, hex};

/// What can be given to a guest as a `G`.
pub(super) trait ToGuest<G> {
    fn to_guest(self) -> Result<G, Newer>;
}

/// What can be lent to a guest as a `G`, for one call. What has to be put another way
/// for that, digests and lists, is put into the arena.
pub(super) trait Lend<'a, G> {
    fn lend(&'a self, arena: &'a Bump) -> Result<G, Newer>;
}

/// What can be taken from a guest as an `M` of the model.
pub(super) trait FromGuest<M> {
    fn into_model(self) -> Result<M, Malformed>;
}

macro_rules! same {
    ($( $type:ty, )*) => { $(
        impl ToGuest<$type> for $type {
            fn to_guest(self) -> Result<$type, Newer> {
                Ok(self)
            }
        }

        impl FromGuest<$type> for $type {
            fn into_model(self) -> Result<$type, Malformed> {
                Ok(self)
            }
        }
    )* };
}

same! { String, u64, u32, bool, Vec<u8>, Vec<String>, }

impl ToGuest<String> for Digest {
    fn to_guest(self) -> Result<String, Newer> {
        Ok(hex(&self.0))
    }
}

impl FromGuest<Digest> for String {
    fn into_model(self) -> Result<Digest, Malformed> {
        self.parse()
            .map_err(|error: NoDigest| Malformed::new(error))
    }
}

impl<G, M: ToGuest<G>> ToGuest<Option<G>> for Option<M> {
    fn to_guest(self) -> Result<Option<G>, Newer> {
        self.map(ToGuest::to_guest).transpose()
    }
}

impl<M, G: FromGuest<M>> FromGuest<Option<M>> for Option<G> {
    fn into_model(self) -> Result<Option<M>, Malformed> {
        self.map(FromGuest::into_model).transpose()
    }
}

/// What is large and rare is boxed in the model.
impl<G, M: ToGuest<G>> ToGuest<G> for Box<M> {
    fn to_guest(self) -> Result<G, Newer> {
        (*self).to_guest()
    }
}

impl<M, G: FromGuest<M>> FromGuest<Box<M>> for G {
    fn into_model(self) -> Result<Box<M>, Malformed> {
        self.into_model().map(Box::new)
    }
}

/// What stands in lists within records; bytes and texts do too, and are taken whole.
pub(super) trait Listed {}

impl Listed for Label {}

impl Listed for SeenValue {}

impl Listed for Remedy {}

impl<G, M: ToGuest<G> + Listed> ToGuest<Vec<G>> for Vec<M> {
    fn to_guest(self) -> Result<Vec<G>, Newer> {
        all_to_guest(self)
    }
}

impl<M, G: FromGuest<M> + Listed> FromGuest<Vec<M>> for Vec<G> {
    fn into_model(self) -> Result<Vec<M>, Malformed> {
        all_from_guest(self)
    }
}

/// All of a list.
pub(super) fn all_to_guest<G, M: ToGuest<G>>(list: Vec<M>) -> Result<Vec<G>, Newer> {
    list.into_iter().map(ToGuest::to_guest).collect()
}

/// All of a list.
pub(super) fn all_from_guest<M, G: FromGuest<M>>(list: Vec<G>) -> Result<Vec<M>, Malformed> {
    list.into_iter().map(FromGuest::into_model).collect()
}

macro_rules! lent_as_it_is {
    ($( $type:ty, )*) => { $(
        impl<'a> Lend<'a, $type> for $type {
            fn lend(&'a self, _: &'a Bump) -> Result<$type, Newer> {
                Ok(*self)
            }
        }
    )* };
}

lent_as_it_is! { u64, u32, bool, }

impl<'a> Lend<'a, &'a str> for String {
    fn lend(&'a self, _: &'a Bump) -> Result<&'a str, Newer> {
        Ok(self)
    }
}

impl<'a> Lend<'a, &'a str> for Digest {
    fn lend(&'a self, arena: &'a Bump) -> Result<&'a str, Newer> {
        Ok(arena.alloc_str(&hex(&self.0)))
    }
}

impl<'a, G, M: Lend<'a, G>> Lend<'a, G> for Box<M> {
    fn lend(&'a self, arena: &'a Bump) -> Result<G, Newer> {
        (**self).lend(arena)
    }
}

impl<'a, G, M: Lend<'a, G>> Lend<'a, Option<G>> for Option<M> {
    fn lend(&'a self, arena: &'a Bump) -> Result<Option<G>, Newer> {
        self.as_ref().map(|it| it.lend(arena)).transpose()
    }
}

impl<'a, G: 'a, M: Lend<'a, G>> Lend<'a, &'a [G]> for Vec<M> {
    fn lend(&'a self, arena: &'a Bump) -> Result<&'a [G], Newer> {
        let lent: Vec<G> = all_lent(self, arena)?;
        Ok(arena.alloc_slice_fill_iter(lent))
    }
}

/// All of a list.
pub(super) fn all_lent<'a, G, M: Lend<'a, G>>(
    list: &'a [M],
    arena: &'a Bump,
) -> Result<Vec<G>, Newer> {
    list.iter().map(|it| it.lend(arena)).collect()
}

/// Records with the same fields on both sides, of the modules that are named
/// first; those that can be lent name a third one, and in it a lifetime where they
/// hold a text.
macro_rules! records {
    ($ours:ident, $theirs:ident, $lent:ident: $(
        $record:ident $( <$a:lifetime> )? { $( $field:ident ),* $(,)? }
    )*) => {
        records! { $ours, $theirs: $( $record { $( $field ),* } )* }

        $(
            impl<'a> Lend<'a, $lent::$record $( <$a> )?> for $ours::$record {
                fn lend(&'a self, arena: &'a Bump) -> Result<$lent::$record $( <$a> )?, Newer> {
                    let Self { $( $field ),* } = self;
                    Ok($lent::$record { $( $field: $field.lend(arena)? ),* })
                }
            }
        )*
    };
    ($ours:ident, $theirs:ident: $( $record:ident { $( $field:ident ),* $(,)? } )*) => { $(
        impl ToGuest<$theirs::$record> for $ours::$record {
            fn to_guest(self) -> Result<$theirs::$record, Newer> {
                // Without `..`: a field that joins the model is thought of here.
                let Self { $( $field ),* } = self;
                Ok($theirs::$record { $( $field: $field.to_guest()? ),* })
            }
        }

        impl FromGuest<$ours::$record> for $theirs::$record {
            fn into_model(self) -> Result<$ours::$record, Malformed> {
                let Self { $( $field ),* } = self;
                Ok($ours::$record {
                    $( $field: $field.into_model().map_err(|it| it.of(stringify!($field)))? ),*
                })
            }
        }
    )* };
}

/// Enums with the same values on both sides.
macro_rules! choices {
    ($ours:ident, $theirs:ident, $lent:ident: $( $choice:ident {
        $( $value:ident ),* $(,)?
    } )*) => {
        choices! { $ours, $theirs: $( $choice { $( $value ),* } )* }

        $(
            impl<'a> Lend<'a, $lent::$choice> for $ours::$choice {
                fn lend(&'a self, _: &'a Bump) -> Result<$lent::$choice, Newer> {
                    Ok(match self {
                        $( Self::$value => $lent::$choice::$value, )*
                    })
                }
            }
        )*
    };
    ($ours:ident, $theirs:ident: $( $choice:ident { $( $value:ident ),* $(,)? } )*) => { $(
        impl ToGuest<$theirs::$choice> for $ours::$choice {
            fn to_guest(self) -> Result<$theirs::$choice, Newer> {
                Ok(match self {
                    $( Self::$value => $theirs::$choice::$value, )*
                })
            }
        }

        impl FromGuest<$ours::$choice> for $theirs::$choice {
            fn into_model(self) -> Result<$ours::$choice, Malformed> {
                Ok(match self {
                    $( Self::$value => $ours::$choice::$value, )*
                })
            }
        }
    )* };
}

/// Variants whose cases hold one record each, or nothing.
macro_rules! variants {
    ($ours:ident, $theirs:ident, $lent:ident: $( $variant:ident {
        $( $case:ident ),*; $( $bare:ident ),* $(,)?
    } )*) => {
        variants! { $ours, $theirs: $( $variant { $( $case ),*; $( $bare ),* } )* }

        $(
            impl<'a> Lend<'a, $lent::$variant<'a>> for $ours::$variant {
                fn lend(&'a self, arena: &'a Bump) -> Result<$lent::$variant<'a>, Newer> {
                    Ok(match self {
                        $( Self::$case(it) => $lent::$variant::$case(it.lend(arena)?), )*
                        $( Self::$bare => $lent::$variant::$bare, )*
                    })
                }
            }
        )*
    };
    ($ours:ident, $theirs:ident: $( $variant:ident {
        $( $case:ident ),*; $( $bare:ident ),* $(,)?
    } )*) => { $(
        impl ToGuest<$theirs::$variant> for $ours::$variant {
            fn to_guest(self) -> Result<$theirs::$variant, Newer> {
                Ok(match self {
                    $( Self::$case(it) => $theirs::$variant::$case(it.to_guest()?), )*
                    $( Self::$bare => $theirs::$variant::$bare, )*
                })
            }
        }

        impl FromGuest<$ours::$variant> for $theirs::$variant {
            fn into_model(self) -> Result<$ours::$variant, Malformed> {
                Ok(match self {
                    $( Self::$case(it) => $ours::$variant::$case(it.into_model()?), )*
                    $( Self::$bare => $ours::$variant::$bare, )*
                })
            }
        }
    )* };
}

pub(super) use {choices, records, variants};
