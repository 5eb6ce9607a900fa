//! How soon an e-detector finds a change, and how often it finds one where there is none.
use driftline_stats::e_detector::evidence::threshold;
use driftline_stats::e_detector::{Band, Discount, Evidence, Shape, Watch};
use driftline_stats::rng::Rng;

const BINS: usize = 33;

/// Counts of the watched sets: everything up to a bin, single bins, missing rows.
fn sets(cells: &[u64]) -> Vec<u64> {
    let bins = &cells[..BINS];
    let cumulative = bins.iter().scan(0, |sum, &count| {
        *sum += count;
        Some(*sum)
    });
    cumulative.skip(1).take(BINS - 3).chain(cells.iter().copied()).collect()
}

/// Rows over the cells: the bins, then missing rows.
fn draw(rng: &mut Rng, shares: &[f64], rows: u64) -> Vec<u64> {
    let ends: Vec<f64> = shares
        .iter()
        .scan(0.0, |sum, share| {
            *sum += share;
            Some(*sum)
        })
        .collect();
    let mut cells = vec![0; shares.len()];
    for _ in 0..rows {
        let u = rng.next_f64() * ends[ends.len() - 1];
        cells[ends.partition_point(|&end| end <= u)] += 1;
    }
    cells
}

struct Series {
    watch: Watch,
    evidence: Evidence,
}

impl Series {
    fn new(reference: &[u64], series: f64, tolerance: f64) -> Self {
        let rows = reference.iter().sum();
        let counts = sets(reference);
        let level = 0.05 / (series * counts.len() as f64 * 2.0);
        let bands: Vec<Band> =
            counts.iter().map(|&count| Band::try_new(count, rows, 1.0, level, tolerance).unwrap()).collect();
        let watch = Watch::try_new(&bands, &vec![Discount::NONE; bands.len()]).unwrap();
        let evidence = Evidence::new(&Shape::of(&[&bands]));
        Self { watch, evidence }
    }
}

fn unchanged() -> Vec<f64> {
    let mut shares = vec![1.0 / BINS as f64; BINS];
    shares.push(0.0);
    shares
}

/// 5 or 10 % of the rows move: past the median or a value in the tail, or from everywhere into a bin.
fn moved(how: &str, share: f64) -> Vec<f64> {
    let mut shares = unchanged();
    match how {
        "past the median" => {
            for (i, cell) in shares[..BINS].iter_mut().enumerate() {
                *cell *= if i <= 16 { 1.0 - share / (17.0 / 33.0) } else { 1.0 + share / (16.0 / 33.0) };
            }
        }
        "into the tail" => {
            shares.iter_mut().for_each(|cell| *cell *= 1.0 - share);
            shares[BINS - 1] += share;
        }
        _ => {
            shares.iter_mut().for_each(|cell| *cell *= 1.0 - share);
            shares[16] += share;
        }
    }
    shares
}

fn mean_rows_to_alarm(how: &str, share: f64, runs: u64) -> f64 {
    let alarm = threshold(1e6, 1.0, 0.5);
    let shares = moved(how, share);
    let total: u64 = (0..runs)
        .map(|run| {
            let mut rng = Rng::new(run);
            let mut series = Series::new(&draw(&mut rng, &unchanged(), 100_000), 1.0, 0.0);
            // Half a year of quiet windows would slow it down no more than these.
            for window in 0..20 {
                let cells = draw(&mut rng, &unchanged(), 500);
                series.evidence.update(&series.watch, &sets(&cells), 500, window);
            }
            let found = (20..400).find(|&window| {
                let cells = draw(&mut rng, &shares, 500);
                series.evidence.update(&series.watch, &sets(&cells), 500, window).fast >= alarm
            });
            500 * (found.unwrap_or(400) - 19) as u64
        })
        .sum();
    total as f64 / runs as f64
}

#[test]
fn changes_are_found_soon() {
    for (how, share, most) in [
        ("past the median", 0.05, 8_000.0),
        ("into the tail", 0.05, 2_000.0),
        ("into the median bin", 0.05, 2_000.0),
        ("past the median", 0.1, 2_500.0),
        ("into the tail", 0.1, 1_000.0),
        ("into the median bin", 0.1, 1_000.0),
    ] {
        let rows = mean_rows_to_alarm(how, share, 40);
        println!("{how} {share}: {rows}");
        assert!(rows <= most, "{how}, {share}: {rows} rows");
    }
}
