//! CSV and JSON lines, and the files behind folders, globs and names.
use driftline_engine::source::{Format, Observer, paths, profile_inputs};
use driftline_engine::{Error, Options, Profile};
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

fn read(path: &Path) -> driftline_engine::Result<Profile> {
    profile_inputs(&paths::expand(&[path.to_string_lossy().into_owned()])?, &Options::default(), &mut ())
}

fn written(folder: &TempDir, name: &str, text: &[u8]) -> std::path::PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn summary(profile: &Profile) -> Vec<(String, String, u64, u64)> {
    let columns = profile.columns().iter();
    columns.map(|c| (c.name.clone(), c.type_name.clone(), c.counts.rows, c.counts.nulls)).collect()
}

fn expected(columns: &[(&str, &str, u64, u64)]) -> Vec<(String, String, u64, u64)> {
    columns.iter().map(|&(name, kind, rows, nulls)| (name.to_owned(), kind.to_owned(), rows, nulls)).collect()
}

const CSV: &[u8] = b"x,y,day\n1,\"a, b\",2026-01-01\n2.5,,2026-01-02\n,c,\n";

#[test]
fn csv_types_come_from_the_whole_file_also_packed() {
    let folder = TempDir::new().unwrap();
    let columns = expected(&[("x", "float64", 3, 1), ("y", "string", 3, 1), ("day", "date[d]", 3, 1)]);
    assert_eq!(summary(&read(&written(&folder, "a.csv", CSV)).unwrap()), columns);
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    gzip.write_all(CSV).unwrap();
    assert_eq!(summary(&read(&written(&folder, "a.csv.gz", &gzip.finish().unwrap())).unwrap()), columns);
    let packed = zstd::encode_all(CSV, 3).unwrap();
    assert_eq!(summary(&read(&written(&folder, "a.csv.zst", &packed)).unwrap()), columns);
}

#[test]
fn json_lines_are_flattened_and_a_late_float_makes_the_column_float() {
    let folder = TempDir::new().unwrap();
    let mut text = "{\"x\": 1, \"in\": {\"a\": true}}\n\n".repeat(5000);
    text.push_str("{\"x\": 0.5, \"tags\": [\"p\", \"q\"]}\n");
    let profile = read(&written(&folder, "a.jsonl", text.as_bytes())).unwrap();
    let columns =
        [("x", "float64", 5001, 0), ("in.a", "bool", 5001, 1), ("tags", "list[string]", 5001, 5000)];
    assert_eq!(summary(&profile)[..3], expected(&columns)[..]);
    assert_eq!(profile.column("tags[]").unwrap().counts.rows, 2);
}

#[test]
fn a_bad_line_is_named_with_its_file_and_number() {
    let folder = TempDir::new().unwrap();
    let error = |name: &str, text: &[u8]| match read(&written(&folder, name, text)) {
        Err(Error::Input(message)) => message,
        other => panic!("{:?}", other.map(|p| p.rows())),
    };
    let message = error("a.jsonl", b"{\"x\": 1}\n{\"x\": \n");
    assert!(message.contains("a.jsonl: line 2: not valid JSON: EOF while parsing a value"), "{message}");
    let message = error("a.csv", b"a,b\n1,2\n1,2,3\n");
    assert!(message.contains("a.csv: ") && message.contains("line 3"), "{message}");
    assert!(error("none.csv", b"").ends_with("none.csv: is empty: a CSV file begins with a header line"));
    assert!(error("bytes.csv", b"a\n\xff\xfe\n").contains("bytes.csv"));
    assert!(error("not.csv.gz", b"plain text").contains("not.csv.gz"));
    let cut = &zstd::encode_all(CSV, 3).unwrap()[..20];
    assert!(error("cut.csv.zst", cut).contains("cut.csv.zst"));
}

#[test]
fn an_array_or_a_value_instead_of_an_object_is_said_without_quoting_it() {
    let folder = TempDir::new().unwrap();
    let error = |text: &str| {
        read(&written(&folder, "a.json", text.as_bytes())).map(|p| p.rows()).unwrap_err().to_string()
    };
    let secret = format!("[{}]", vec!["{\"email\": \"ana@example.org\"}"; 1000].join(","));
    let message = error(&secret);
    assert!(
        message.ends_with("a.json: line 1: holds an array: JSON lines have one object a line, {...}"),
        "{message}"
    );
    assert!(error("{}\n7").contains("line 2: holds a single value"));
}

#[test]
fn a_late_string_makes_the_column_strings_and_a_mark_of_the_byte_order_is_skipped() {
    let folder = TempDir::new().unwrap();
    let text = format!("\u{feff}{}{{\"x\": \"a\"}}\n", "{\"x\": 1}\n".repeat(3000));
    let profile = read(&written(&folder, "a.jsonl", text.as_bytes())).unwrap();
    assert_eq!(summary(&profile), expected(&[("x", "string", 3001, 0)]));
}

#[test]
fn missing_values_of_csv_do_not_make_numbers_strings() {
    let folder = TempDir::new().unwrap();
    let profile = read(&written(&folder, "a.csv", b"\xef\xbb\xbfx,y\n1,a\nNA,NULL\nNaN,\n2,b\n")).unwrap();
    assert_eq!(summary(&profile), expected(&[("x", "int64", 4, 2), ("y", "string", 4, 2)]));
}

#[test]
fn every_row_is_told_once_and_an_observer_can_stop_the_work() {
    struct Told(u64, u64);
    impl Observer for Told {
        fn rows(&mut self, rows: u64) -> driftline_engine::Result<()> {
            self.0 += rows;
            if self.0 > self.1 { Err(Error::Storage("enough".into())) } else { Ok(()) }
        }
    }
    let folder = TempDir::new().unwrap();
    for name in ["a", "b"] {
        written(&folder, &format!("{name}.csv"), format!("x\n{}", "1\n".repeat(20_000)).as_bytes());
    }
    let inputs = paths::expand(&[folder.path().to_string_lossy().into_owned()]).unwrap();
    let mut told = Told(0, u64::MAX);
    assert_eq!(profile_inputs(&inputs, &Options::default(), &mut told).unwrap().rows(), 40_000);
    assert_eq!(told.0, 40_000);
    let error = profile_inputs(&inputs, &Options::default(), &mut Told(0, 0)).unwrap_err();
    assert!(matches!(error, Error::Storage(message) if message == "enough"));
}

#[test]
fn an_empty_json_lines_file_has_no_rows_and_no_columns() {
    let folder = TempDir::new().unwrap();
    let profile = read(&written(&folder, "none.jsonl", b"")).unwrap();
    assert_eq!((profile.rows(), profile.columns().len()), (0, 0));
}

#[test]
fn folders_and_globs_give_their_files_in_order_without_the_hidden_ones() {
    let folder = TempDir::new().unwrap();
    for name in ["b.csv", "a.csv", "notes.txt", ".hidden.csv", "_SUCCESS", "c.parquet.part"] {
        written(&folder, name, CSV);
    }
    std::fs::create_dir(folder.path().join("region=1")).unwrap();
    std::fs::write(folder.path().join("region=1/z.csv"), CSV).unwrap();
    std::fs::create_dir(folder.path().join("_temporary")).unwrap();
    std::fs::write(folder.path().join("_temporary/t.csv"), CSV).unwrap();
    let names = |pattern: &Path| {
        let inputs = paths::expand(&[pattern.to_string_lossy().into_owned()]).unwrap();
        let short = |name: &str| name.rsplit('/').next().unwrap().to_owned();
        inputs.iter().map(|input| short(&input.name)).collect::<Vec<_>>()
    };
    assert_eq!(names(folder.path()), ["a.csv", "b.csv", "z.csv"]);
    assert_eq!(names(&folder.path().join("*.csv")), ["a.csv", "b.csv"]);
    assert_eq!(names(&folder.path().join("**/*.csv")), ["a.csv", "b.csv", "z.csv"]);
    assert_eq!(read(folder.path()).unwrap().column("region").unwrap().counts.rows, 3);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_are_followed_once() {
    let folder = TempDir::new().unwrap();
    written(&folder, "a.csv", CSV);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("self")).unwrap();
    assert_eq!(read(folder.path()).unwrap().rows(), 3);
}

#[test]
fn what_is_not_there_or_not_readable_is_said() {
    let folder = TempDir::new().unwrap();
    let said = |path: &Path| {
        paths::expand(&[path.to_string_lossy().into_owned()]).map(|_| ()).unwrap_err().to_string()
    };
    assert!(said(&folder.path().join("no.parquet")).ends_with("no.parquet: no such file or folder"));
    assert!(said(folder.path()).ends_with("no Parquet, CSV or JSON-lines file in this folder or below it"));
    assert!(said(&folder.path().join("*.csv")).ends_with("matches no Parquet, CSV or JSON-lines file"));
    assert!(said(&written(&folder, "a.txt", b"x")).contains("the name tells no format"));
    assert!(said(&folder.path().join("a***")).contains("not a pattern"));
    assert!(profile_inputs(&[], &Options::default(), &mut ()).is_err());
}

#[test]
fn names_tell_formats() {
    let formats =
        [("a.parquet", Some(Format::Parquet)), ("a.PQ", Some(Format::Parquet)), ("a.parquet.gz", None)];
    let texts = [
        ("x/a.csv.gz", Some(Format::Csv)),
        ("a.ndjson", Some(Format::JsonLines)),
        ("a", None),
        ("csv", None),
    ];
    for (name, format) in formats.into_iter().chain(texts) {
        assert_eq!(paths::format_of(name), format, "{name}");
    }
}
