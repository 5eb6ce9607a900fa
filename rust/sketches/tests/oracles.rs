//! Images written by other implementations are read with the answers of the C++ library.
use driftline_sketches::frequent::Item;
use driftline_sketches::{FrequentItems, HllSketch};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// The files of a family with what the C++ library says about them; none where they are missing.
fn oracles(family: &str) -> Vec<(String, Vec<u8>, Value)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracles/datasketches");
    let Ok(text) = fs::read_to_string(root.join("expected.json")) else {
        println!("skipped: no oracles beside the repository");
        return vec![];
    };
    let expected: Value = serde_json::from_str(&text).expect("expected.json is JSON");
    let mut found = vec![];
    for language in ["cpp", "go", "java"] {
        for entry in fs::read_dir(root.join(language)).expect("a folder for each language") {
            let path = entry.expect("a readable folder").path();
            let name = format!("{language}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            if name.contains(family) {
                found.push((name.clone(), fs::read(path).expect("readable"), expected[&name].clone()));
            }
        }
    }
    found
}

fn close(a: f64, b: &Value) -> bool {
    let b = b.as_f64().unwrap_or(f64::NAN);
    (a - b).abs() <= 1e-9 * b
}

#[test]
fn hll_images_say_what_the_library_says() {
    let oracles = oracles("/hll");
    for (name, bytes, expected) in &oracles {
        let sketch = HllSketch::from_bytes(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(close(sketch.estimate(), &expected["estimate"]), "{name}: {}", sketch.estimate());
        assert!(close(sketch.lower_bound(1), &expected["lower_1sd"]), "{name}");
        assert!(close(sketch.upper_bound(1), &expected["upper_1sd"]), "{name}");
        assert_eq!(HllSketch::from_bytes(&sketch.to_bytes()).as_ref(), Ok(&sketch), "{name}");
    }
    // The same values in whatever type and language are the same registers.
    for n in ["_n10_", "_n1000_", "_n100000_"] {
        let mut same = oracles.iter().filter(|(name, ..)| name.contains(n)).map(|(_, bytes, _)| {
            let mut sketch = HllSketch::new();
            sketch.update_i64(&[0]);
            sketch.merge(&HllSketch::from_bytes(bytes).expect("read above"));
            sketch.to_bytes()
        });
        if let Some(first) = same.next() {
            assert!(same.all(|other| other == first), "{n}");
        }
    }
}

#[test]
fn hll_of_the_same_values_is_what_the_library_wrote() {
    for (name, bytes, _) in oracles("/hll") {
        let n = name.split(['n', '_']).find_map(|part| part.parse::<i64>().ok()).expect("a count");
        let mut mine = HllSketch::new();
        mine.update_i64(&(0..n).collect::<Vec<_>>());
        let theirs = HllSketch::from_bytes(&bytes).expect("readable");
        let mut both = mine.clone();
        both.merge(&theirs);
        assert_eq!(both.to_bytes(), mine.to_bytes(), "{name}");
    }
}

fn check<T: Item + std::fmt::Debug>(family: &str, item: impl Fn(&str) -> T) {
    for (name, bytes, expected) in oracles(family) {
        let sketch = FrequentItems::<T>::from_bytes(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        // The library has no expectation for integers; there the count in the name is the truth.
        if let Some(total) = expected["total_weight"].as_u64() {
            assert_eq!(sketch.total(), total, "{name}");
            assert_eq!(sketch.len() as u64, expected["active"].as_u64().expect("a number"), "{name}");
            for row in expected["top"].as_array().expect("rows") {
                let number = |i: usize| row[i].as_u64().expect("a number");
                let (lower, estimate, upper) = sketch.count(item(row[0].as_str().expect("text")).as_ref());
                assert_eq!((estimate, lower, upper), (number(1), number(2), number(3)), "{name}");
            }
        } else {
            let n = name.split(['n', '_']).find_map(|part| part.parse::<u64>().ok()).expect("a count");
            assert_eq!(sketch.total(), n, "{name}");
            for value in 1..=n {
                let (lower, _, upper) = sketch.count(item(&value.to_string()).as_ref());
                assert!(lower <= 1 && 1 <= upper, "{name}: {value} is {lower} to {upper}");
            }
        }
        let again = FrequentItems::<T>::from_bytes(&sketch.to_bytes()).expect("our own image");
        assert_eq!(again.to_bytes(), sketch.to_bytes(), "{name}");
        assert_eq!(again.items_above(0), sketch.items_above(0), "{name}");
    }
}

#[test]
fn frequent_strings_say_what_the_library_says() {
    check::<Box<[u8]>>("frequent_string", |text| text.as_bytes().into());
}

#[test]
fn frequent_integers_hold_the_truth() {
    check::<i64>("frequent_long", |text| text.parse().expect("a number"));
}
