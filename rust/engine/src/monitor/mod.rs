//! Watching a stream of predictions: rows come with the time at which they happened, and a [`calendar`] says
//! which window of event time holds each row, so that a window of one day is a day where the people live who
//! are to read about it, also on the days on which clocks change.
//!
//! A [`Monitor`] is told by its [`Settings`] what to [`watch`]. Rows are told apart by their window ([`times`],
//! [`calendar`]) and their [`segments`], [`picked`] out of tables for them and [`collected`] there, until they are many and
//! are counted by [`builders`] of profiles, column by column. When windows close, each column of each segment is a
//! [`series`]: its counts over the cells that are [`watched`] go into its reference
//! ([`baseline`], which may be [`trailing`]), or are put beside it, and what they prove may raise an [`alarm`], under a
//! [`promise`]; [`rules`] say at once what needs no statistics. [`tables`] hand it all over; an [`archive`] is read by its
//! [`files`], and a [`checkpoint`] holds what is between two windows.
mod alarm;
mod archive;
mod baseline;
mod builders;
pub mod calendar;
mod checkpoint;
mod collected;
mod files;
mod named;
mod picked;
mod promise;
mod rules;
mod segments;
mod series;
mod settings;
mod tables;
mod times;
mod trailing;
mod watch;
mod watched;
mod zone;

pub use archive::{Recount, Times};
pub use calendar::{Calendar, Cycle, Every, Unit};
pub use files::{Files, Unread};
pub use rules::Check;
pub use settings::{Settings, Span};
pub use tables::{Late, Output, ProfileTable, Watcheds};
pub use watch::{Monitor, RowCounts};
