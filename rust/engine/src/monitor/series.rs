//! One column of one segment over time: its reference, its evidence, its alarm.
use super::alarm::{Detector, Event, Happened, Set};
use super::baseline::{Baseline, WINDOWS_TO_CALIBRATE, wrong};
use super::promise::Promise;
use super::trailing::Trailing;
use super::watched::Watched;
use crate::Result;
use crate::compare::explain::{largest, largest_cell};
use crate::compare::judge::{Limits, p_value};
use driftline_stats::divergence;
use driftline_stats::e_detector::{
    Band, Closing, Discount, Dispersion, Evidence, Largest, Reading, Shape, Side, Watch,
};
use driftline_stats::moved_share::moved_share;
use driftline_stats::test::MIN_PERMUTATIONS;
use driftline_stats::total_variation_bound::total_variation_upper_bound;
use driftline_stats::verdict::{Verdict, effect_upper_bound};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Chance, over all series, that any bound of the reference is wrong.
const REFERENCE_LEVEL: f64 = 0.05;
/// The part of the budget that breakages have; the two detectors share the rest.
const FOR_BREAKAGES: f64 = 0.01;
/// Level of what is said of single windows and of the size of a change.
const LEVEL: f64 = 0.05;
/// Windows whose seasons are looked at where a change is told.
const MOST_SINCE: i64 = 1000;
/// An alarm that comes back within as many windows of its end as it took to end is the same one, within these bounds.
const BACK_WITHIN: i64 = 3;
const BACK_WITHIN_AT_MOST: i64 = 30;
/// An alarm that was reopened closes once it is over for so many times as long as it was closed before, or as it had to be
/// over the last time.
const STAYS: i64 = 2;
/// Sets, the surest, whose return is waited for before an alarm closes.
const MOST_CLOSINGS: usize = 8;

/// What all series of a monitor share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// False alarms in a window.
    pub a_window: f64,
    /// All series that there can ever be.
    pub series: f64,
    /// The share of the rows that does not matter.
    pub tolerance: f64,
    /// Whether references are renewed again and again.
    pub renews: bool,
}

impl Budget {
    /// What the evidence of either detector must reach.
    pub fn threshold(&self) -> f64 {
        self.series / (self.a_window * (1.0 - FOR_BREAKAGES) / 2.0)
    }

    /// The chance, of one series, that any bound of its reference of this number, from 1, is wrong. Those of all renewals
    /// together are as likely wrong as those of the one reference that is never renewed.
    fn reference_level(&self, number: u32) -> f64 {
        let number = f64::from(number);
        let part = if self.renews { 1.0 / (number * (number + 1.0)) } else { 1.0 };
        REFERENCE_LEVEL * part / self.series
    }

    /// The chance, in one window of one series, that a breakage is none.
    fn breakage(&self) -> f64 {
        self.a_window * FOR_BREAKAGES / self.series
    }
}

/// What a series says of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Rows of the window.
    pub rows: u64,
    /// Rows without a value.
    pub missing: u64,
    /// Where the series stands.
    pub status: Status,
    /// Largest change of a watched set, or total variation of categories.
    pub effect: Option<f64>,
    /// Its upper bound, were rows independent.
    pub effect_bound: Option<f64>,
    /// What this window proves by itself, were rows independent.
    pub verdict: Option<Verdict>,
    /// The set that changed most, its share of the reference and now.
    pub moved: Option<(String, f64, f64)>,
    /// Population stability index, which others judge by a bare threshold.
    pub psi: Option<f64>,
    /// Evidence of both detectors as a share of what raises an alarm, as a power of ten.
    pub evidence: Option<(f64, f64)>,
    /// Whether an alarm is open.
    pub alarm: bool,
}

impl Judged {
    /// Of values of another kind.
    pub fn retyped(rows: u64) -> Self {
        Self::aside(rows, 0, Status::Retyped)
    }

    /// Of a column that no row of the window has.
    pub fn gone(rows: u64) -> Self {
        Self::aside(rows, rows, Status::Gone)
    }

    fn aside(rows: u64, missing: u64, status: Status) -> Self {
        Self {
            rows,
            missing,
            status,
            effect: None,
            effect_bound: None,
            verdict: None,
            moved: None,
            psi: None,
            evidence: None,
            alarm: false,
        }
    }
}

/// Where a series stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Its rows go into the reference.
    Learning,
    /// It is watched, and nothing is promised before it is known how windows vary.
    Calibrating,
    /// It is watched.
    Watching,
    /// It has no reference.
    Unknown,
    /// Its values are of another kind now.
    Retyped,
    /// The column is gone.
    Gone,
}

impl Status {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Calibrating => "calibrating",
            Self::Watching => "watching",
            Self::Unknown => "no reference",
            Self::Retyped => "retyped",
            Self::Gone => "gone",
        }
    }
}

/// The state of a series between windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Series {
    baseline: Baseline,
    trailing: Trailing,
    /// The number of its reference, from 1, among those under which something was promised: each has its own level.
    number: u32,
    /// Of a series that came up when the reference had been learnt, the first window that is not of a reference of its own.
    learns_until: Option<i64>,
    watching: Option<Watching>,
    alarm: Option<Alarm>,
    ended: Option<Alarm>,
}

/// What a series that has a reference is watched by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Watching {
    bands: Vec<Vec<Band>>,
    /// Whether the reference has rows of a bucket: without them nothing can be said of its windows.
    known: Vec<bool>,
    discounts: Vec<Discount>,
    shape: Shape,
    evidence: Evidence,
    /// Windows seen, where the reference does not show how they vary.
    calibration: Option<Dispersion>,
    promise: Promise,
    /// The bets of the bucket that was met last: made of the others, and so not kept.
    #[serde(skip)]
    bets: Option<(usize, Watch)>,
}

/// An alarm that is open, or was the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Alarm {
    events: u32,
    detector: Detector,
    /// The cell that held all rows, of a breakage alone.
    broken: Option<usize>,
    /// All that has moved.
    moved: BTreeSet<Set>,
    /// What must be back before it closes.
    closings: Vec<(Set, Closing)>,
    since: i64,
    /// The window after which it was raised, or raised again.
    raised: i64,
    /// The window after which it ended.
    ended: i64,
    /// Windows with rows for which all of it must have been back before it closes.
    stays: i64,
    /// Such windows so far.
    back: i64,
    promise: String,
}

impl Alarm {
    fn new(
        seen: &Seen<'_>,
        found: &Largest,
        detector: Detector,
        broken: Option<usize>,
        promise: String,
    ) -> Self {
        let (moved, closings) = (BTreeSet::new(), vec![]);
        let (since, raised, ended) = (found.since, seen.window, seen.window);
        let (events, stays, back) = (0, 1, 0);
        Self { events, detector, broken, moved, closings, since, raised, ended, stays, back, promise }
    }

    /// It moved again: what recurs, such as every day, leaves it open from now on, where it would close and reopen each
    /// time.
    fn reopen(mut self, seen: &Seen<'_>) -> Self {
        let away = seen.window - self.ended;
        self.stays = (STAYS * away.max(self.stays)).clamp(BACK_WITHIN, BACK_WITHIN_AT_MOST);
        self
    }

    /// It is over with a window, and why.
    fn close(&mut self, seen: &Seen<'_>, why: &str) -> Event {
        self.events += 1;
        self.ended = seen.window;
        Event {
            alarm: 0,
            number: self.events,
            happened: Happened::Closed,
            segment: seen.segment.to_owned(),
            column: seen.watched.name.clone(),
            detector: self.detector,
            window: seen.window,
            since: self.since,
            rows: seen.rows(),
            what: why.to_owned(),
            reference_share: None,
            share: None,
            bounds: None,
            promise: self.promise.clone(),
        }
    }
}

/// A window of a series.
pub(super) struct Seen<'a> {
    pub watched: &'a Watched,
    pub segment: &'a str,
    pub window: i64,
    pub bucket: usize,
    pub cells: &'a [u64],
    /// Whether values were picked by its rows that are watched by name.
    pub chooses: bool,
    /// Whether these rows came late to a window that was seen before.
    pub amends: bool,
    /// The bucket of any window.
    pub bucket_of: &'a (dyn Fn(i64) -> usize + Sync),
}

impl Seen<'_> {
    fn rows(&self) -> u64 {
        self.cells.iter().sum()
    }

    /// Buckets of the windows since one, by their part of them, those that are compared with anything.
    fn buckets_since(&self, since: i64, is_known: impl Fn(usize) -> bool) -> BTreeMap<usize, f64> {
        // Of a long time its end is enough: seasons come round.
        let first = since.max(self.window - MOST_SINCE).min(self.window);
        let mut buckets = BTreeMap::new();
        for bucket in (first..=self.window).map(self.bucket_of).filter(|&bucket| is_known(bucket)) {
            *buckets.entry(bucket).or_insert(0.0) += 1.0;
        }
        let all: f64 = buckets.values().sum();
        buckets.values_mut().for_each(|part| *part /= all);
        buckets
    }
}

impl Series {
    pub fn new(watched: &Watched, buckets: usize) -> Self {
        Self {
            baseline: Baseline::new(watched, buckets),
            trailing: Trailing::default(),
            number: 1,
            learns_until: None,
            watching: None,
            alarm: None,
            ended: None,
        }
    }

    /// Its reference.
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    /// The same, to add to.
    pub fn learn(&mut self) -> &mut Baseline {
        &mut self.baseline
    }

    /// Under which assumptions something is promised of it.
    pub fn promise(&self) -> Option<Promise> {
        self.watching.as_ref().map(|watching| watching.promise)
    }

    /// Whether rows of a window, or those that come late to it, are of a reference of its own, for which it takes so many
    /// windows from the first that it meets. It is watched from the first window after them.
    ///
    /// # Errors
    /// The budget is out of range.
    pub fn learns_itself(&mut self, seen: &Seen<'_>, windows: i64, budget: &Budget) -> Result<bool> {
        if self.watching.is_none() && !seen.amends {
            self.learns_until.get_or_insert(seen.window.saturating_add(windows));
        }
        let Some(until) = self.learns_until else { return Ok(false) };
        let learns = seen.window < until;
        if !learns && !seen.amends && self.watching.is_none() {
            self.watch(seen.watched, budget)?;
        }
        Ok(learns)
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        match &self.watching {
            None if self.baseline.all_rows() > 0 => Status::Learning,
            None => Status::Unknown,
            Some(watching) if watching.calibration.is_some() => Status::Calibrating,
            Some(_) => Status::Watching,
        }
    }

    /// Where it stands in windows of a bucket.
    fn status_in(&self, bucket: usize) -> Status {
        if self.watching.is_some() && !self.knows(bucket) { Status::Unknown } else { self.status() }
    }

    /// Whether it is watched in windows of a bucket.
    fn knows(&self, bucket: usize) -> bool {
        self.watching.as_ref().is_some_and(|watching| watching.known[bucket])
    }

    /// The windows that show how it varies.
    pub fn calibrated_by(&self) -> &Dispersion {
        let calibration = self.watching.as_ref().and_then(|watching| watching.calibration.as_ref());
        calibration.unwrap_or(self.baseline.dispersion())
    }

    /// Whether an alarm is open.
    pub fn is_alarmed(&self) -> bool {
        self.alarm.is_some()
    }

    /// Ends learning: from now on its windows are watched. Without rows there is nothing to compare with.
    ///
    /// # Errors
    /// The budget is out of range.
    pub fn watch(&mut self, watched: &Watched, budget: &Budget) -> Result<()> {
        if self.baseline.all_rows() == 0 {
            return Ok(());
        }
        let dispersion = self.baseline.dispersion();
        let promise = Promise::of(dispersion, budget.tolerance);
        let is_calibrated = !matches!(promise, Promise::NotYet { .. });
        let sets = watched.sets();
        let discounts = if is_calibrated { dispersion.discounts() } else { vec![Discount::NONE; sets] };
        // Windows of the reference count, so that fewer are left to see.
        let calibration = (!is_calibrated).then(|| dispersion.clone());
        self.set(watched, budget, discounts, calibration, promise)
    }

    fn set(
        &mut self,
        watched: &Watched,
        budget: &Budget,
        discounts: Vec<Discount>,
        calibration: Option<Dispersion>,
        promise: Promise,
    ) -> Result<()> {
        let bands = self.bands(watched, budget, &discounts)?;
        let shape = Shape::of(&bands.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let evidence = Evidence::new(&shape);
        let known = (0..self.baseline.buckets()).map(|bucket| self.baseline.rows(bucket) > 0).collect();
        self.watching =
            Some(Watching { bands, known, discounts, shape, evidence, calibration, promise, bets: None });
        Ok(())
    }

    /// Bounds of the reference, each wrong so seldom that all of them, over all renewals, keep their level.
    fn bands(&self, watched: &Watched, budget: &Budget, discounts: &[Discount]) -> Result<Vec<Vec<Band>>> {
        let sides = 2.0 * watched.sets() as f64;
        let level = budget.reference_level(self.number) / sides;
        self.baseline.bands(watched, discounts, level, budget.tolerance)
    }

    /// The smallest change that can be found however long one waits, in a set of half the rows.
    pub fn smallest_change(&self, watched: &Watched) -> Option<f64> {
        let watching = self.watching.as_ref()?;
        let mut most: f64 = 0.0;
        for (bucket, bands) in watching.bands.iter().enumerate().filter(|(bucket, _)| watching.known[*bucket])
        {
            let counts = self.baseline.set_counts(watched, bucket).into_iter();
            for (set, (band, (count, rows))) in bands.iter().zip(counts).enumerate() {
                if self.baseline.is_unbounded(watched, bucket, set) {
                    continue;
                }
                let share = count as f64 / rows as f64;
                most = most.max(band.upper - share).max(share - band.lower);
            }
        }
        Some((most + Shape::SMALLEST_GAP / 2.0).min(1.0))
    }

    /// Adds a window, or rows that came late to one. Alarms get their numbers later.
    ///
    /// # Errors
    /// The counts are of another column.
    pub fn update(&mut self, seen: &Seen<'_>, budget: &Budget, events: &mut Vec<Event>) -> Result<Judged> {
        let rows = seen.rows();
        if !self.knows(seen.bucket) {
            return self.judged(seen, budget, None);
        }
        let mut sets = vec![];
        seen.watched.set_counts(seen.cells, &mut sets);
        let reading = self.read(&sets, rows, seen);
        if let Some(reading) = &reading {
            self.raise(seen, budget, reading, events)?;
        }
        // Rows that came late are no window of their own, which alone tells how windows vary and that an alarm is over.
        if !seen.amends {
            self.close(seen, &sets, events);
            self.calibrate(seen, &sets, budget)?;
        }
        self.judged(seen, budget, reading)
    }

    fn read(&mut self, sets: &[u64], rows: u64, seen: &Seen<'_>) -> Option<Reading> {
        let watching = self.watching.as_mut()?;
        watching.meet(seen.bucket);
        let (_, bets) = watching.bets.as_ref()?;
        let evidence = &mut watching.evidence;
        Some(if seen.amends {
            evidence.amend(bets, sets, rows, seen.window)
        } else {
            evidence.update(bets, sets, rows, seen.window)
        })
    }

    /// Opens, extends or reopens the alarm where the evidence suffices.
    fn raise(
        &mut self,
        seen: &Seen<'_>,
        budget: &Budget,
        reading: &Reading,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        let threshold = budget.threshold();
        let broken = self.broken(seen, budget);
        // A breakage says more than the drift that it looks like too.
        let detector = match broken {
            Some(_) => Detector::Breakage,
            None if reading.fast >= threshold => Detector::Fast,
            None if reading.strict >= threshold => Detector::Strict,
            None => return Ok(()),
        };
        let mut moved = match broken {
            Some(cell) => vec![self.breakage(seen, cell)],
            None => self.moved(seen, threshold),
        };
        // The evidence of many sets together can pass before that of any one does.
        if moved.is_empty() {
            moved.extend(reading.largest);
        }
        let Some(&found) = moved.first() else { return Ok(()) };
        let promise = self.promise().map_or_else(String::new, |promise| promise.words());
        let back = |ended: &Alarm| {
            let within = (ended.ended - ended.raised).clamp(BACK_WITHIN, BACK_WITHIN_AT_MOST);
            ended.moved.contains(&Set::of(&found)) && seen.window - ended.ended <= within
        };
        let (mut alarm, happened) = match self.alarm.take() {
            Some(alarm) => (alarm, Happened::Extended),
            None => match self.ended.take().filter(back) {
                Some(alarm) => (alarm.reopen(seen), Happened::Reopened),
                None => (Alarm::new(seen, &found, detector, broken, promise.clone()), Happened::Opened),
            },
        };
        (alarm.raised, alarm.back) = (seen.window, 0);
        // A drift that goes on passes again and again, each time with another of the sets that moved: what is told is
        // only what had not moved before.
        let is_news = happened != Happened::Extended || !alarm.moved.contains(&Set::of(&found));
        for found in &moved {
            let set = Set::of(found);
            if alarm.moved.insert(set) && alarm.closings.len() < MOST_CLOSINGS {
                alarm.closings.push((set, self.closing(seen, found)));
            } else if let Some((_, closing)) = alarm.closings.iter_mut().find(|(of, _)| *of == set) {
                *closing = self.closing(seen, found);
            }
        }
        self.alarm = Some(alarm);
        if is_news {
            self.tell(happened, detector, seen, &found, &promise, events);
        }
        if let Some(watching) = &mut self.watching {
            watching.evidence.reset();
        }
        Ok(())
    }

    /// All that moved so surely that it would have raised the alarm by itself.
    fn moved(&self, seen: &Seen<'_>, threshold: f64) -> Vec<Largest> {
        let bets =
            self.watching.as_ref().and_then(|watching| watching.bets.as_ref().map(|bets| (watching, bets)));
        bets.map_or_else(Vec::new, |(watching, (bucket, bets))| {
            debug_assert_eq!(*bucket, seen.bucket);
            watching.evidence.moved(bets, threshold.ln())
        })
    }

    /// The cell that holds all rows, where that is next to impossible.
    fn broken(&self, seen: &Seen<'_>, budget: &Budget) -> Option<usize> {
        let rows = seen.rows();
        // A window is looked at once.
        if seen.amends {
            return None;
        }
        let cell = seen.cells.iter().position(|&count| count == rows && rows > 0)?;
        let watching = self.watching.as_ref()?;
        let set = seen.watched.set_of_cell(cell)?;
        let share = watching.bands[seen.bucket][set].upper;
        let independent = rows as f64 / watching.discounts[set].rows;
        // In any one cell: the chances of all cells add up to at most that of the largest but for one row.
        let surprise = (independent - 1.0) * share.ln();
        (surprise <= budget.breakage().ln()).then_some(cell)
    }

    fn breakage(&self, seen: &Seen<'_>, cell: usize) -> Largest {
        let rows = seen.rows();
        let set = seen.watched.set_of_cell(cell).unwrap_or(0) as u32;
        Largest { set, side: Side::Above, since: seen.window, count: rows, rows }
    }

    /// Evidence, to come, that a set is back: that less than half of its change is left.
    fn closing(&self, seen: &Seen<'_>, found: &Largest) -> Closing {
        let band = self.band(seen.bucket, found.set);
        let share = found.count as f64 / found.rows.max(1) as f64;
        let discount = self.watching.as_ref().map_or(Discount::NONE, |w| w.discounts[found.set as usize]);
        let beyond = match found.side {
            Side::Above => share - band.upper,
            Side::Below => band.lower - share,
        };
        Closing::new(found.side, beyond.max(0.0) / 2.0, discount)
    }

    /// What the share of a set may be in a season.
    fn band(&self, bucket: usize, set: u32) -> Band {
        let band = self.watching.as_ref().map(|watching| watching.bands[bucket][set as usize]);
        band.unwrap_or(Band { lower: 0.0, upper: 1.0 })
    }

    /// Closes the alarm once all that moved is back.
    fn close(&mut self, seen: &Seen<'_>, sets: &[u64], events: &mut Vec<Event>) {
        let rows = seen.rows();
        let bands = self.watching.as_ref().map(|watching| &watching.bands[seen.bucket]);
        let Some(alarm) = self.alarm.as_mut().filter(|alarm| alarm.raised < seen.window && rows > 0) else {
            return;
        };
        // A breakage is over with the first window that is not broken.
        let mended = alarm.broken.is_some_and(|cell| seen.cells[cell] < rows) && alarm.closings.len() == 1;
        let mut back = true;
        for (set, closing) in &mut alarm.closings {
            let (count, band) = (sets[set.set as usize], bands.map(|bands| bands[set.set as usize]));
            back &= band.is_none_or(|band| closing.update(&band, count, rows) >= Closing::ENOUGH);
        }
        alarm.back = if back || mended { alarm.back + 1 } else { 0 };
        if alarm.back < alarm.stays {
            return;
        }
        let Some(mut alarm) = self.alarm.take() else { return };
        events.push(alarm.close(seen, "back to the reference"));
        self.ended = Some(alarm);
        if let Some(watching) = &mut self.watching {
            watching.evidence.reset();
        }
    }

    fn tell(
        &mut self,
        happened: Happened,
        detector: Detector,
        seen: &Seen<'_>,
        found: &Largest,
        promise: &str,
        events: &mut Vec<Event>,
    ) {
        let Some(alarm) = &mut self.alarm else { return };
        alarm.events += 1;
        let number = alarm.events;
        let reference = self.baseline.cells(seen.bucket);
        let set = found.set as usize;
        let discount = self.watching.as_ref().map_or(Discount::NONE, |watching| watching.discounts[set]);
        // Each bound at half the level, so that their difference has the whole.
        let band = |count: u64, rows: u64| {
            let band = Band::try_new(count, rows.max(1), discount.rows, LEVEL / 4.0, 0.0);
            band.unwrap_or(Band { lower: 0.0, upper: 1.0 })
        };
        // Rows since then may be of several seasons, and are told beside the same mixture of the reference.
        let (mut share, mut before) = (0.0, Band { lower: 0.0, upper: 0.0 });
        for (bucket, weight) in seen.buckets_since(found.since, |bucket| self.knows(bucket)) {
            let (count, rows) = self.baseline.set_counts(seen.watched, bucket)[set];
            let of_bucket = band(count, rows);
            share += weight * count as f64 / rows.max(1) as f64;
            before.lower += weight * of_bucket.lower;
            before.upper += weight * of_bucket.upper;
        }
        let shares = (share, found.count as f64 / found.rows.max(1) as f64);
        let now = band(found.count, found.rows);
        let (mut change, mut told) = ((now.lower - before.upper, now.upper - before.lower), shares);
        if seen.watched.is_told_from_outside(set, found.side) {
            change = (-change.1, -change.0);
            told = (1.0 - shares.0, 1.0 - shares.1);
        }
        events.push(Event {
            alarm: 0,
            number,
            happened,
            segment: seen.segment.to_owned(),
            column: seen.watched.name.clone(),
            detector,
            window: seen.window,
            since: found.since,
            rows: found.rows,
            what: seen.watched.set_label(set, found.side, reference),
            reference_share: Some(told.0),
            share: Some(told.1),
            bounds: Some(change),
            promise: promise.to_owned(),
        });
    }

    /// Learns how windows vary where the reference did not show it, and renews a trailing reference.
    fn calibrate(&mut self, seen: &Seen<'_>, sets: &[u64], budget: &Budget) -> Result<()> {
        let Some(watching) = &mut self.watching else { return Ok(()) };
        let Some(calibration) = &mut watching.calibration else { return Ok(()) };
        calibration.update(sets, seen.rows(), seen.bucket).map_err(wrong)?;
        watching.promise = Promise::of(calibration, budget.tolerance);
        if calibration.windows() < WINDOWS_TO_CALIBRATE {
            return Ok(());
        }
        let (discounts, promise) = (calibration.discounts(), watching.promise);
        self.set(seen.watched, budget, discounts, None, promise)
    }

    /// Adds a window to a trailing reference of so many windows, which is renewed step by step: evidence starts anew. While an
    /// alarm is open it stays as it was, until all of its windows have come since the change: then the alarm is over. The first reference is that of the windows that were learnt.
    ///
    /// # Errors
    /// The counts are of another column.
    pub fn trail(
        &mut self,
        seen: &Seen<'_>,
        windows: u64,
        budget: &Budget,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        let new = || Baseline::new(seen.watched, self.baseline.buckets());
        let Some(recent) = self.trailing.add(seen, windows, new)?.filter(|_| self.watching.is_some()) else {
            return Ok(());
        };
        if let Some(alarm) = &mut self.alarm {
            // Beside a reference of which a part has moved too, what moved would look as if it were back.
            let is_caught_up = i64::try_from(windows).is_ok_and(|most| seen.window - alarm.since >= most);
            if !is_caught_up {
                return Ok(());
            }
            events
                .push(alarm.close(seen, "it did not go back: all of the trailing reference is like it now"));
            self.alarm = None;
        }
        self.baseline = recent;
        // A reference under which nothing was promised has spent no part of the level.
        self.number += u32::from(self.promise().is_some_and(Promise::holds));
        self.watch(seen.watched, budget)
    }

    /// What a window says by itself, and where the series stands.
    pub fn judged(&self, seen: &Seen<'_>, budget: &Budget, reading: Option<Reading>) -> Result<Judged> {
        let threshold = budget.threshold();
        let mut judged = Judged {
            rows: seen.rows(),
            missing: seen.cells.last().copied().unwrap_or(0),
            status: self.status_in(seen.bucket),
            effect: None,
            effect_bound: None,
            verdict: None,
            moved: None,
            psi: None,
            evidence: reading.map(|reading| {
                let of = |won: f64| (won.max(1e-300) / threshold).log10();
                (of(reading.fast), of(reading.strict))
            }),
            alarm: self.alarm.is_some(),
        };
        let n = judged.rows;
        if !self.knows(seen.bucket) || n == 0 {
            return Ok(judged);
        }
        let reference = self.baseline.compared(seen.watched, seen.bucket);
        let m = reference.iter().sum();
        let cells = seen.watched.both(&reference, seen.cells);
        let (change, moved) = if cells.ordered {
            largest(&cells)
        } else {
            let (reference, current) = cells.counts();
            (moved_share(&reference, &current).map_err(wrong)?, largest_cell(&cells))
        };
        let bound = if cells.ordered {
            effect_upper_bound(change, n, m, 0.0, LEVEL)
        } else {
            let (reference, current) = cells.counts();
            total_variation_upper_bound(&reference, &current, 0.0, LEVEL)
        };
        let bound = bound.map_err(wrong)?.max(change);
        let verdict = if change > budget.tolerance {
            // At tolerance 0 too, in the form that needs no permutations.
            let limits = Limits { tolerance: budget.tolerance.max(1e-9), alpha: LEVEL, resolution: LEVEL };
            let (p, _) = p_value(&cells, &limits, MIN_PERMUTATIONS)?;
            if p <= LEVEL { Verdict::Drift } else { Verdict::Undecided }
        } else if bound <= budget.tolerance {
            Verdict::Stable
        } else {
            Verdict::Undecided
        };
        // Cells that no row can be in would add to it though nothing happens in them.
        let met = cells.cells.iter().filter(|cell| cell.reference + cell.current > 0);
        let (reference, current): (Vec<u64>, Vec<u64>) =
            met.map(|cell| (cell.reference, cell.current)).unzip();
        judged.psi = Some(divergence::psi_value(&reference, &current).map_err(wrong)?);
        judged.effect = Some(change);
        judged.effect_bound = Some(bound);
        judged.verdict = Some(verdict);
        judged.moved = moved.map(|moved| (moved.label, moved.reference, moved.current));
        Ok(judged)
    }
}

impl Watching {
    /// Lays the bets of a bucket.
    fn meet(&mut self, bucket: usize) {
        if self.bets.as_ref().is_none_or(|(of, _)| *of != bucket) {
            let bets = Watch::try_with_shape(&self.shape, &self.bands[bucket], &self.discounts);
            // Bands, discounts and shape are of one series, and so fit.
            self.bets = bets.ok().map(|bets| (bucket, bets));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewals_share_the_level() {
        let of = |renews| Budget { a_window: 0.01, series: 4.0, tolerance: 0.0, renews };
        assert_eq!(of(false).reference_level(1), REFERENCE_LEVEL / 4.0);
        let all: f64 = (1..100_000).map(|number| of(true).reference_level(number)).sum();
        assert!((4.0 * all / REFERENCE_LEVEL - 1.0).abs() < 1e-4, "{all}");
    }
}
