//! Fields with their marks, as the tables write and read them.

/// How a field with this mark is written and read.
macro_rules! marked {
    (plain $codec:ty) => { $codec };
    (erasable $codec:ty) => { Erasable<$codec> };
}

/// The name of a field in the JSON form.
macro_rules! name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

pub(super) use {marked, name};
