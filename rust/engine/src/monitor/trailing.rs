//! The last windows of a series, of which a trailing reference is made again and again.
use super::baseline::{Baseline, WINDOWS_TO_CALIBRATE};
use super::series::Seen;
use crate::Result;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A reference is renewed in so many steps.
const STEPS: u64 = 8;

/// Steps of some windows each, the last of them under way. A reference is made of the last ones; as many more are kept as
/// show how windows vary.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trailing {
    steps: VecDeque<Baseline>,
    windows_in_step: u64,
}

impl Trailing {
    /// Adds a window; the reference of the last windows, so many, where it is time for a new one.
    ///
    /// # Errors
    /// The counts are of another column.
    pub fn add(
        &mut self,
        seen: &Seen<'_>,
        windows: u64,
        new: impl Fn() -> Baseline,
    ) -> Result<Option<Baseline>> {
        let step_windows = windows.div_ceil(STEPS);
        let of_reference = windows.div_ceil(step_windows) as usize;
        let kept = of_reference.max((WINDOWS_TO_CALIBRATE as u64).div_ceil(step_windows) as usize);
        if self.steps.is_empty() || self.windows_in_step >= step_windows {
            if self.steps.len() >= kept {
                self.steps.pop_front();
            }
            self.steps.push_back(self.steps.back().map_or_else(&new, |last| last.following(seen.watched)));
            self.windows_in_step = 0;
        }
        self.windows_in_step += 1;
        if let Some(step) = self.steps.back_mut() {
            step.add_window(seen.watched, seen.cells, seen.bucket, seen.chooses)?;
        }
        if self.windows_in_step < step_windows || self.steps.len() < of_reference {
            return Ok(None);
        }
        let mut recent = new();
        let earlier = self.steps.len() - of_reference;
        // How windows vary all steps show.
        self.steps.iter().take(earlier).for_each(|step| recent.merge_dispersion(step));
        self.steps.iter().skip(earlier).for_each(|step| recent.merge(step));
        Ok(Some(recent))
    }
}
