//! What the scheduler decides, the same natively and as the committed component; and that what is
//! derived from sources is fresh.

mod rules;
mod conditions;
mod properties;
mod model;
mod agreement;
mod freshness;
mod dependencies;
mod wording;
mod doors;
mod built;
mod documented;
mod pages;
mod classes;
mod anchored;
mod reference;
mod log_format;
mod pictures;
mod how_we_know;
mod layers;
