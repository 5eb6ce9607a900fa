//! Watching a stream of predictions: rows come with the time at which they happened, and a [`calendar`] says
//! which window of event time holds each row, so that a window of one day is a day where the people live who
//! are to read about it, also on the days on which clocks change.
pub mod calendar;
mod zone;

pub use calendar::{Calendar, Cycle, Every, Unit};
