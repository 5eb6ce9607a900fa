//! Images written by other implementations, against what Apache's C++ library says about them.
use driftline_sketches::kll::{KllSketch, KllStrings};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The files of a kind of items, or nothing with a printed reason.
fn images(kind: &str) -> Vec<(String, Vec<u8>)> {
    let mut images = vec![];
    let Some(root) = root() else { return images };
    for language in ["cpp", "go", "java", "java_legacy"] {
        for entry in std::fs::read_dir(root.join(language)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with("kll_") && name.contains(kind) {
                images.push((format!("{language}/{name}"), std::fs::read(path).unwrap()));
            }
        }
    }
    assert!(images.len() >= 12, "4 sizes in 3 languages, found {}", images.len());
    images
}

fn root() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracles/datasketches");
    if root.is_dir() {
        return Some(root);
    }
    println!("skipped: {} is missing", root.display());
    None
}

fn expected() -> Value {
    let text = std::fs::read_to_string(root().unwrap().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The `n` in a name like `kll_double_n1000_cpp.sk`.
fn n_of(name: &str) -> u64 {
    let digits = name.split("_n").nth(1).unwrap().split('_').next().unwrap();
    digits.parse().unwrap()
}

fn check(name: &str, sketch: &KllSketch, truth: &Value) {
    assert_eq!(sketch.n(), truth["n"].as_u64().unwrap(), "{name}");
    assert_eq!(u64::from(sketch.k()), truth["k"].as_u64().unwrap(), "{name}");
    assert_eq!(sketch.min(), truth["min"].as_f64(), "{name}");
    assert_eq!(sketch.max(), truth["max"].as_f64(), "{name}");
    let view = sketch.sorted_view();
    assert_eq!(view.values().len() as u64, truth["num_retained"].as_u64().unwrap(), "{name}");
    for (q, value) in truth["quantiles"].as_object().into_iter().flatten() {
        assert_eq!(view.quantile_exclusive(q.parse().unwrap()), value.as_f64(), "{name} at {q}");
    }
}

#[test]
fn doubles_and_floats_are_read_as_cpp_reads_them() {
    for (name, bytes) in images("double") {
        check(&name, &KllSketch::from_bytes(&bytes).unwrap(), &expected()[&name]);
    }
    for (name, bytes) in images("float") {
        check(&name, &KllSketch::from_bytes_f32(&bytes).unwrap(), &expected()[&name]);
    }
}

#[test]
fn integers_and_strings_from_1_to_n_keep_their_order() {
    for (name, bytes) in images("long") {
        let sketch = KllSketch::from_bytes_i64(&bytes).unwrap();
        let n = n_of(&name);
        assert_eq!((sketch.n(), sketch.k()), (n, 200), "{name}");
        assert_eq!((sketch.min(), sketch.max()), ((n > 0).then_some(1.0), (n > 0).then_some(n as f64)));
        if let Some(median) = sketch.sorted_view().quantile(0.5) {
            assert!((median / n as f64 - 0.5).abs() <= 0.05, "{name}: {median}");
        }
    }
    for (name, bytes) in images("string") {
        let sketch = KllStrings::from_bytes(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let n = n_of(&name);
        assert_eq!((sketch.n(), sketch.k(), sketch.is_empty()), (n, 200, n == 0), "{name}");
        if n == 0 {
            assert_eq!((sketch.min(), sketch.quantile(0.5), sketch.rank("1")), (None, None, None));
            continue;
        }
        // Java and Go pad the numbers with spaces, so that their order as text is that of numbers; the
        // C++ files are in the order of numbers.
        let number = |text: &str| text.trim().parse::<f64>().unwrap();
        assert_eq!((number(sketch.min().unwrap()), number(sketch.max().unwrap())), (1.0, n as f64), "{name}");
        for share in [0.1, 0.5, 0.9] {
            let value = sketch.quantile(share).unwrap();
            assert!((number(&value) / n as f64 - share).abs() <= 0.02, "{name}: {value} at {share}");
            assert!((sketch.rank(&value).unwrap() - share).abs() <= 0.05, "{name}: {value} at {share}");
        }
        assert_eq!(sketch.rank(sketch.max().unwrap()), Some(1.0), "{name}");
    }
}

#[test]
fn what_is_exact_is_written_as_it_was_read() {
    for (name, bytes) in images("double").iter().filter(|(name, _)| n_of_or_one(name) <= 10) {
        let again = KllSketch::from_bytes(bytes).unwrap().to_bytes();
        if n_of_or_one(name) == 0 {
            assert_eq!(&again, bytes, "{name}");
        }
        check(name, &KllSketch::from_bytes(&again).unwrap(), &expected()[name]);
    }
}

fn n_of_or_one(name: &str) -> u64 {
    if name.contains("one_item") { 1 } else { n_of(name) }
}
