//! Columns that the settings name and the data must have.
use super::zone::edits;
use crate::options::{Options, ancestors};
use crate::profile::flatten::flatten;
use crate::{Error, Result};
use arrow_schema::SchemaRef;
use std::collections::BTreeSet;

/// Columns that are listed where none is like the one that was asked for.
const MOST_LISTED: usize = 20;

/// Names of columns, and of what they lie in.
#[derive(Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// Those of rows.
    ///
    /// # Errors
    /// Names come up twice.
    pub fn of(schema: &SchemaRef) -> Result<Self> {
        let (leaves, skipped) = flatten(schema, &Options { may_lack_columns: true, ..Options::default() })?;
        let mut found = Self::default();
        found.0.extend(schema.fields().iter().map(|field| field.name().clone()));
        found.extend(leaves.into_iter().map(|leaf| leaf.name));
        found.extend(skipped.into_iter().map(|skipped| skipped.name));
        Ok(found)
    }

    /// Adds columns.
    pub fn extend(&mut self, columns: impl Iterator<Item = String>) {
        for column in columns {
            self.0.extend(ancestors(&column).map(str::to_owned));
        }
    }

    /// Adds those of other rows.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether a column is there.
    pub fn has(&self, column: &str) -> bool {
        self.0.contains(column)
    }

    /// Whether all columns are there that are named, each with where that is.
    ///
    /// # Errors
    /// One is not.
    pub fn check<'a>(&self, named: impl IntoIterator<Item = &'a (String, String)>) -> Result<()> {
        let Some((place, column)) = named.into_iter().find(|(_, column)| !self.has(column)) else {
            return Ok(());
        };
        // A third of the letters may be wrong: two that changed places are two.
        let lower = column.to_lowercase();
        let like = |known: &&String| (edits(&lower, &known.to_lowercase()), known.len());
        let near = self.0.iter().min_by_key(like).filter(|known| like(known).0 <= column.len().div_ceil(3));
        let hint = match near {
            Some(near) => format!("did you mean {near:?}?"),
            None => {
                let mut listed: Vec<_> =
                    self.0.iter().take(MOST_LISTED).map(|name| format!("{name:?}")).collect();
                if self.0.len() > MOST_LISTED {
                    listed.push("...".into());
                }
                format!("columns are {}", listed.join(", "))
            }
        };
        Err(Error::Input(format!("{place} is {column:?}, and the rows have no such column: {hint}")))
    }
}
