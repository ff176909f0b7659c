//! The checkers bite: wrong hosts and wrong guests, each found by the law that
//! it breaks; and the right one, in which nothing is found.

mod beneath;
mod deeds;
mod doors;
mod guests;
mod hosts;
mod simulated;
mod story;
mod verdict;
mod world;
