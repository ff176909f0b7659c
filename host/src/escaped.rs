//! Foreign text as it may be shown: on a terminal, in a page, in a picture.

pub use refrain_picture::escaped::{escaped, escaped_but, is_steering};
