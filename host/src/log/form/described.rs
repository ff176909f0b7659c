//! The tables as data: what a page about the format is made from.

/// A kind of event, and its fields in the order in which they are written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct KindForm {
    /// Its name.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [FieldForm],
}

/// A field of a kind of event, or of a code.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldForm {
    /// Its name in the JSON form.
    pub name: &'static str,
    /// Whether it can be erased: `plain` or `erasable`. Empty in records, whose fields have
    /// the mark of the record.
    pub mark: &'static str,
    /// How it is written, in the words of the table: `Maybe<Text>`.
    pub form: &'static str,
}

/// What stands in fields under one name: records, codes with their data, or names to choose
/// from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PartForm {
    /// The name.
    pub name: &'static str,
    /// Of a record, its only entry is called like it, and has its fields. Of codes, each has
    /// its data. Of a choice, none has any.
    pub cases: &'static [KindForm],
}

impl KindForm {
    pub(super) const fn new(name: &'static str, fields: &'static [FieldForm]) -> Self {
        Self { name, fields }
    }
}

impl FieldForm {
    pub(super) const fn new(name: &'static str, mark: &'static str, form: &'static str) -> Self {
        Self { name, mark, form }
    }
}

impl PartForm {
    pub(super) const fn new(name: &'static str, cases: &'static [KindForm]) -> Self {
        Self { name, cases }
    }
}
